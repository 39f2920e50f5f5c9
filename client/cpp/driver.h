// Drives ClientCore: connections, timers, handlers. Internal to the library.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

#include "client/cpp/client.h"
#include "client/cpp/core.h"
#include "client/cpp/gates.h"

namespace hongyan::client {

// Lives on its loop and is touched only there, but for its construction and where it says so. Its coroutines
// and timers hold it, until close().
class Driver : public std::enable_shared_from_this<Driver> {
 public:
  Driver(ClientOptions options, Handlers handlers, net::EventLoop& loop);

  void start();
  void stop(std::move_only_function<void()> done);
  void hurry();
  // Any thread.
  [[nodiscard]] std::int64_t acknowledged() const noexcept { return acknowledged_; }
  void send(Outgoing what, SendOptions options, SendCallback done);
  void pull(Milliseconds timeout, StatusCallback done);
  // Ends everything at once; afterwards no handler is called.
  void close();

 private:
  struct Connection {
    std::unique_ptr<Transport> transport;
    std::string unsent;
    bool writing = false;
    bool closed = false;
  };
  struct Waiter {
    StatusCallback done;
    std::unique_ptr<net::Timer> timer;
  };

  static net::Awaitable<> run(std::shared_ptr<Driver> self, std::shared_ptr<Connection> connection);
  static net::Awaitable<> write(std::shared_ptr<Driver> self, std::shared_ptr<Connection> connection);
  [[nodiscard]] net::Awaitable<Status> establish(std::shared_ptr<Connection> connection);
  void lost(Connection& connection, Failure reason);
  void receive(Connection& connection, net::PacketDecoder& decoder);

  void drain();
  void perform(Output& output);
  void write_later(std::string bytes);
  void arm();
  void settle_waiters(const Status& status);
  template <typename F, typename... Args>
  void call(const F& handler, const Args&... args);

  net::EventLoop& loop_;
  ClientOptions options_;
  const Handlers handlers_;
  ClientCore core_;
  GateList gates_;

  std::atomic<std::int64_t> acknowledged_ = 0;
  bool closed_ = false;
  bool draining_ = false;
  std::shared_ptr<Connection> connection_;
  SendId last_send_ = 0;
  std::unordered_map<SendId, SendCallback> sends_;
  std::uint64_t last_waiter_ = 0;
  std::unordered_map<std::uint64_t, Waiter> waiters_;  // for output::Synced
  std::vector<std::move_only_function<void()>> stop_waiters_;
  net::Timer timer_;
  SteadyTime armed_ = SteadyTime::max();
};

}  // namespace hongyan::client
