// A client that logs in and then never reads.
#pragma once

#include <memory>
#include <string>

#include "client/cpp/types.h"
#include "common/net/event_loop.h"

namespace hongyan::checker {

struct SleeperOptions {
  Endpoint gate = {};
  std::string app = {};
  std::string uid = {};
  std::string token = {};
};

// Lives on its loop. Its coroutine holds it.
class Sleeper : public std::enable_shared_from_this<Sleeper> {
 public:
  Sleeper(net::EventLoop& loop, SleeperOptions options);

  void start();
  // Reads at last, until nothing more comes.
  void wake() noexcept { awake_ = true; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  // The gate had closed the connection.
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  // The gate had not, and kept more for it than it may.
  [[nodiscard]] bool overfed() const noexcept { return ended_ && !closed_ && bytes_ > kMostBytes; }

 private:
  // What the gate may queue, and what the system's buffers hold.
  static constexpr std::size_t kMostBytes = 8 << 20;

  static net::Awaitable<> run(std::shared_ptr<Sleeper> self);
  net::Awaitable<> log_in();
  net::Awaitable<> drain();

  net::EventLoop& loop_;
  const SleeperOptions options_;
  net::TcpSocket socket_;
  bool awake_ = false;
  bool ended_ = false;
  bool closed_ = false;
  std::size_t bytes_ = 0;
};

}  // namespace hongyan::checker
