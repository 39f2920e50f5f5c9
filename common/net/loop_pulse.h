// Whether the loops of a process still run what is posted to them.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "common/net/asio.h"

namespace hongyan::net {

// One loop's answers. A member of what owns the loop, declared behind its io_context; it outlives the loop's
// thread.
class LoopPulse {
 public:
  // context outlives it. name: for people.
  LoopPulse(std::string name, asio::io_context& context);
  ~LoopPulse();
  LoopPulse(const LoopPulse&) = delete;
  LoopPulse& operator=(const LoopPulse&) = delete;

  // Only a loop that runs is asked: from before its thread begins until it is told to stop. Any thread.
  void set_running(bool running) noexcept { running_ = running; }

  // The names of all loops of the process that have not run what the last call posted to them; asks the others
  // anew. A loop that was never asked counts as one that answered. Any thread, one at a time.
  [[nodiscard]] static std::vector<std::string> silent();

 private:
  // True when it answers no more.
  [[nodiscard]] bool ask();

  const std::string name_;
  asio::io_context& context_;
  std::atomic<bool> running_ = false;
  // Shared with the question, which may be destroyed unrun after this.
  const std::shared_ptr<std::atomic<bool>> answered_ = std::make_shared<std::atomic<bool>>(true);
};

}  // namespace hongyan::net
