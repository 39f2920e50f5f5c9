#pragma once

#include <future>
#include <utility>

#include "common/net/event_loop.h"

namespace hongyan::checker {

// Runs f on the loop, which must be running, and waits for it; what it returns. Not from the loop itself.
template <typename F>
auto on_loop(net::EventLoop& loop, F f) {
  std::packaged_task<decltype(f())()> task(std::move(f));
  auto future = task.get_future();
  loop.post([&task] { task(); });
  return future.get();
}

}  // namespace hongyan::checker
