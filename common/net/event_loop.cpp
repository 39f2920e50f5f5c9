#include "common/net/event_loop.h"

#include <pthread.h>

#include <exception>

#include <boost/asio/this_coro.hpp>

#include "common/log/log.h"

namespace hongyan::net {

namespace {
std::atomic<std::uint64_t> escaped{0};
}  // namespace

EventLoop::EventLoop(std::string name)
    : name_(std::move(name)), work_(context_.get_executor()), pulse_(name_, context_) {}

EventLoop::~EventLoop() {
  stop();
  join();
}

void EventLoop::start() {
  HONGYAN_ASSERT(!thread_.joinable());
  pulse_.set_running(true);
  thread_ = std::thread([this] {
    thread_id_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& e) {
        // A plain handler threw: the loop's other work goes on.
        escaped.fetch_add(1, std::memory_order_relaxed);
        log::error("net", "exception escaped a handler loop={} what={}", name_, e.what());
      }
    }
  });
}

void EventLoop::stop() {
  pulse_.set_running(false);
  context_.stop();
}

void EventLoop::join() {
  if (thread_.joinable()) thread_.join();
}

void EventLoop::spawn(std::string_view name, Awaitable<> coroutine) {
  asio::co_spawn(context_.get_executor(), std::move(coroutine),
                 [name = std::string(name)](const std::exception_ptr& failure) {
                   if (!failure) return;
                   escaped.fetch_add(1, std::memory_order_relaxed);
                   try {
                     std::rethrow_exception(failure);
                   } catch (const std::exception& e) {
                     log::error("net", "exception escaped a coroutine name={} what={}", name, e.what());
                   } catch (...) {
                     log::error("net", "unknown exception escaped a coroutine name={}", name);
                   }
                 });
}

std::uint64_t EventLoop::escaped_exceptions() noexcept { return escaped.load(std::memory_order_relaxed); }

LoopPool::LoopPool(std::string_view name, std::size_t count) {
  HONGYAN_ASSERT(count > 0);
  for (std::size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<EventLoop>(std::string(name) + "-" + std::to_string(i)));
  }
}

void LoopPool::start() {
  for (auto& loop : loops_) loop->start();
}

void LoopPool::stop_and_join() {
  for (auto& loop : loops_) loop->stop();
  for (auto& loop : loops_) loop->join();
}

Awaitable<> sleep_for(std::chrono::milliseconds duration) {
  Timer timer(co_await asio::this_coro::executor);
  timer.expires_after(duration);
  error_code ignored;
  co_await timer.async_wait(await(ignored));
}

}  // namespace hongyan::net
