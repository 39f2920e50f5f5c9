// Accepting connections, also when there is no descriptor for them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/log/line_limit.h"
#include "common/net/asio.h"
#include "common/net/descriptors.h"

namespace hongyan::net {

// A listening socket. Out of descriptors, a connection is accepted by a spare one and closed at once, so that
// its client tries elsewhere; without it, the client would wait in the backlog and the loop would spin. Lives on
// its executor's loop.
class Acceptor {
 public:
  // name: of the daemon's part, for logs. on_turned_away: for each connection that was closed so; may be null.
  Acceptor(Executor executor, std::string name, std::function<void()> on_turned_away = {});

  // Where to listen: net::listen(acceptor.socket(), …).
  [[nodiscard]] TcpAcceptor& socket() noexcept { return socket_; }
  // Of the listening socket; after that accept() gives nothing.
  void close();
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }

  // The next connection, to live on the executor's loop. Nothing: the acceptor is closed. Who awaits it keeps the
  // acceptor alive.
  [[nodiscard]] static Awaitable<std::optional<TcpSocket>> accept(Acceptor& self, Executor executor);

 private:
  void turn_away();
  void note(const error_code& reason);

  TcpAcceptor socket_;
  const std::string name_;
  const std::function<void()> on_turned_away_;
  SpareDescriptor spare_;
  log::LineLimit lines_;
};

}  // namespace hongyan::net
