// A TCP proxy between clients and one gate that does to connections what networks do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cpp/types.h"
#include "common/net/event_loop.h"
#include "tools/checker/plan.h"

namespace hongyan::checker {

// Shares of the connections that meet a fate each second.
struct ProxyFaults {
  double cut = 0;        // closed after some more bytes, half of them by a reset
  double half_open = 0;  // nothing is forwarded any more, and nobody is told; the client learns of it 3 to 15
                         // s later, the gate never
};

// Lives on its loop: constructed and used there. Its coroutines hold their connections; end it by stopping
// the loop.
class Proxy {
 public:
  // Listens on a free port of 127.0.0.1.
  Proxy(net::EventLoop& loop, const Endpoint& gate, std::uint64_t seed);

  [[nodiscard]] Endpoint endpoint() const;
  void set_faults(ProxyFaults faults) { faults_ = faults; }
  // No more faults; the clients of half-open connections are cut off.
  void heal();

  struct Figures {
    std::uint64_t connections = 0;
    std::uint64_t cut = 0;
    std::uint64_t half_open = 0;
  };
  [[nodiscard]] const Figures& figures() const noexcept { return figures_; }

 private:
  struct Connection;
  static net::Awaitable<> accept(Proxy* self);
  static net::Awaitable<> serve(Proxy* self, std::shared_ptr<Connection> connection);
  static net::Awaitable<> forward(std::shared_ptr<Connection> connection, bool up);
  static net::Awaitable<> fates(Proxy* self);
  void tick();

  net::EventLoop& loop_;
  net::TcpAcceptor acceptor_;
  const net::Tcp::endpoint gate_;
  Dice dice_;
  ProxyFaults faults_;
  Figures figures_;
  std::vector<std::shared_ptr<Connection>> connections_;
};

}  // namespace hongyan::checker
