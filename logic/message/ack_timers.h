// Pushes that wait for their acknowledgement.
#pragma once

#include <deque>
#include <utility>

#include "logic/user/thread_context.h"

namespace hongyan::logic {

// What is due when ack_timeout has passed. Every timer takes as long, so they stand in order. One thread.
template <typename What>
class AckTimers {
 public:
  explicit AckTimers(const ThreadContext& context) : context_(context) {}

  void start(What what) {
    timers_.push_back({.at = context_.now() + context_.config.ack_timeout, .what = std::move(what)});
  }
  // Calls due(what) for those whose time has come; it may start others.
  template <typename Due>
  void run(Due due) {
    const SteadyTime now = context_.now();
    while (!timers_.empty() && timers_.front().at <= now) {
      const What what = std::move(timers_.front().what);
      timers_.pop_front();
      due(what);
    }
  }

 private:
  struct Timer {
    SteadyTime at;
    What what;
  };
  const ThreadContext& context_;
  std::deque<Timer> timers_;
};

}  // namespace hongyan::logic
