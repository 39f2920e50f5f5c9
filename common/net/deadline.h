// A time limit for operations that are awaited.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/base/clock.h"
#include "common/net/asio.h"

namespace hongyan::net {

// Calls on_expiry when an armed deadline passes, and again every 50 ms until disarmed, since a cancel between
// two operations has no effect:
//
//   Deadline deadline(loop.executor(), [&socket] { error_code ignored; socket.cancel(ignored); });
//   deadline.arm(Milliseconds(500));
//   co_await socket.async_read_some(buffer, await(ec));   // operation_aborted when it takes longer
//   deadline.disarm();
//   if (deadline.expired()) ...
//
// Lives on the executor's loop only. Once destroyed it calls nothing any more.
class Deadline {
 public:
  Deadline(Executor executor, std::function<void()> on_expiry);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Starts anew; replaces an earlier one.
  void arm(Milliseconds limit);
  void disarm();
  // Whether the one armed last has passed; stays true after disarm().
  [[nodiscard]] bool expired() const noexcept;

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state, std::uint64_t generation);

  std::shared_ptr<State> state_;
};

}  // namespace hongyan::net
