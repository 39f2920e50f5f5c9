// One asynchronous connection to Redis on an event loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/net/event_loop.h"
#include "logic/redis/config.h"

namespace hongyan::logic {

// hiredis (asynchronous) on Asio: connects by itself, again and again with jittered back-off (100 to 500 ms),
// pipelines what is sent. Commands are lost when the connection is: callers use Redis as a cache only. An
// answer that is an error is counted, logged when it begins or is another, and named by trouble() until
// works() is called. Lives on one loop; all calls on it.
class RedisClient : public std::enable_shared_from_this<RedisClient> {
 public:
  // The reply as text ("" for nil, the number in decimal for integers), or kUnavailable / kInternal.
  using Done = std::function<void(Result<std::string>)>;

  [[nodiscard]] static std::shared_ptr<RedisClient> start(net::EventLoop& loop, RedisConfig config);
  ~RedisClient();

  // On the loop. done may be empty. It is called on the loop, also when the connection breaks.
  void command(const std::vector<std::string_view>& words, Done done = {});
  // On the loop: what Redis is used for works, so far as the caller can tell.
  void works();
  // Any thread.
  void stop();

  // Any thread.
  [[nodiscard]] bool connected() const noexcept { return connected_.load(std::memory_order_relaxed); }
  // Why Redis does not do its work, in words for operators; "" when it does.
  [[nodiscard]] std::string trouble() const;
  // Answers that were errors.
  [[nodiscard]] std::uint64_t errors() const noexcept { return errors_.load(std::memory_order_relaxed); }

 private:
  class Adapter;
  RedisClient(net::EventLoop& loop, RedisConfig config);
  void connect();
  void connected(bool ok, const char* reason);
  void disconnected(const char* reason);
  void refused(std::string_view error);
  void watch();

  net::EventLoop& loop_;
  const RedisConfig config_;
  std::atomic<bool> connected_{false};
  std::atomic<std::uint64_t> errors_{0};
  mutable std::mutex mutex_;
  std::string trouble_;  // guarded; written on the loop

  // Loop only.
  net::Timer timer_;
  std::unique_ptr<Adapter> adapter_;
  const Random random_ = random_fraction;
  Backoff backoff_;
  std::size_t in_flight_ = 0;
  std::uint64_t logged_errors_ = 0;
  SteadyTime oldest_sent_{};  // when the first of the commands in flight was sent, or the last reply came
  bool stopped_ = false;
};

}  // namespace hongyan::logic
