// Work for later, on a slot thread.
#pragma once

#include <functional>

namespace hongyan::logic {

// Runs the turns of one slot thread.
class Turns {
 public:
  virtual ~Turns() = default;
  // Runs f on the slot thread, in a turn of its own. Any thread may call it; it only queues.
  virtual void later(std::function<void()> f) = 0;
};

}  // namespace hongyan::logic
