// Pulls everything from the start, a few users at a time.
#pragma once

#include <memory>
#include <vector>

#include "tools/checker/device.h"

namespace hongyan::checker {

// Lives on its loop. The recorder holds what was pulled.
class Audit {
 public:
  Audit(net::EventLoop& loop, Recorder& recorder, std::vector<DeviceOptions> whom);

  // Ends those that are through, starts the next; false: nothing is left to do.
  [[nodiscard]] bool step();
  // Not through; ends them.
  [[nodiscard]] std::size_t give_up();

 private:
  net::EventLoop& loop_;
  Recorder& recorder_;
  std::vector<DeviceOptions> waiting_;
  std::vector<std::unique_ptr<Device>> running_;
};

}  // namespace hongyan::checker
