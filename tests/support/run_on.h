// Runs a coroutine on an event loop and waits for its result.
#pragma once

#include <future>
#include <memory>
#include <utility>

#include "common/net/event_loop.h"

namespace hongyan::test {

namespace detail {
template <typename T>
net::Awaitable<> fulfil(net::Awaitable<T> coroutine, std::shared_ptr<std::promise<T>> promise) {
  promise->set_value(co_await std::move(coroutine));
}
}  // namespace detail

// Not on the loop's own thread. A coroutine that throws breaks the promise: future_error.
template <typename T>
T run_on(net::EventLoop& loop, net::Awaitable<T> coroutine) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  loop.spawn("test", detail::fulfil(std::move(coroutine), std::move(promise)));
  return future.get();
}

}  // namespace hongyan::test
