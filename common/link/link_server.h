// Accepts links.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/link/link.h"

namespace hongyan::link {

// Listens on one address and gives each accepted link to the next of the given loops. The acceptor lives on
// the first loop. stop() by any thread: no new links; those that are up are closed.
class LinkServer : public std::enable_shared_from_this<LinkServer> {
 public:
  // Error kUnavailable with "HOST:PORT: address in use" and the like. Port 0: the system chooses; see port().
  // Loops, identity and handler outlive the server.
  [[nodiscard]] static Result<std::shared_ptr<LinkServer>> start(std::vector<net::EventLoop*> loops,
                                                                 const std::string& host, std::uint16_t port,
                                                                 const Identity& identity,
                                                                 LinkHandler& handler,
                                                                 LinkOptions options = {});
  void stop();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  LinkServer(std::vector<net::EventLoop*> loops, const Identity& identity, LinkHandler& handler,
             LinkOptions options);
  [[nodiscard]] static net::Awaitable<> accept(std::shared_ptr<LinkServer> self);

  const std::vector<net::EventLoop*> loops_;
  const Identity& identity_;
  LinkHandler& handler_;
  const LinkOptions options_;

  // First loop only, after start.
  net::TcpAcceptor acceptor_;
  std::uint16_t port_ = 0;
  std::size_t next_ = 0;
  bool stopped_ = false;
  std::vector<std::weak_ptr<Link>> links_;
};

}  // namespace hongyan::link
