// Event-loop threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/assert.h"
#include "common/net/asio.h"
#include "common/net/loop_pulse.h"

namespace hongyan::net {

// One thread with one io_context. Objects that live on a loop are touched by its thread only; others reach
// them by post(). Nothing that runs on a loop may block; LoopPulse tells which loops stand still.
//
// Order: construct, start(), use, stop(), join() (the destructor does both). What was posted before stop()
// and has not run by then is destroyed unrun by the destructor.
class EventLoop {
 public:
  // name: of the thread, at most 15 characters are shown by the system.
  explicit EventLoop(std::string name);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void start();
  // Any thread. The loop ends after the handler that runs now.
  void stop();
  void join();

  // Runs f on the loop, later. Any thread.
  template <typename F>
  void post(F&& f) {
    asio::post(context_, std::forward<F>(f));
  }

  // Starts a coroutine on the loop: spawn("accept", accept_loop(...)). Any thread. What escapes it is logged
  // as an error with the name and counted; it never ends the process.
  void spawn(std::string_view name, Awaitable<> coroutine);

  [[nodiscard]] bool in_loop() const noexcept {
    return std::this_thread::get_id() == thread_id_.load(std::memory_order_relaxed);
  }
  void assert_in_loop() const noexcept { HONGYAN_DEBUG_ASSERT(in_loop()); }

  [[nodiscard]] Executor executor() noexcept { return context_.get_executor(); }
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Coroutines that ended by an exception, over all loops of the process.
  [[nodiscard]] static std::uint64_t escaped_exceptions() noexcept;

 private:
  const std::string name_;
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_;
  LoopPulse pulse_;
  std::atomic<std::thread::id> thread_id_{};
  std::thread thread_;
};

// The worker loops of a daemon, named NAME-0, NAME-1, ...
class LoopPool {
 public:
  LoopPool(std::string_view name, std::size_t count);

  void start();
  void stop_and_join();

  [[nodiscard]] std::size_t size() const noexcept { return loops_.size(); }
  [[nodiscard]] EventLoop& at(std::size_t index) noexcept { return *loops_[index]; }

 private:
  std::vector<std::unique_ptr<EventLoop>> loops_;
};

// Waits; returns early (with operation_aborted, ignored) when the timer's owner cancels it.
[[nodiscard]] Awaitable<> sleep_for(std::chrono::milliseconds duration);

}  // namespace hongyan::net
