// Accepts links.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/link/link.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::link {

struct LinkServerOptions {
  LinkOptions link;
  Milliseconds hello_deadline{5000};  // for a peer to prove itself
  std::uint32_t max_unproved = 64;  // past it the oldest of those that have yet to prove themselves is closed
};

// Keys of the section of a daemon's configuration that says where it listens. The options outlive the schema.
void bind(config::Schema& schema, const std::string& section, LinkServerOptions& options);

// Listens on one address. On a thread of its own, so that strangers take no time of the given loops, the peers
// prove themselves; each that has is given to the next loop as a link. stop() by any thread but that one: no new
// links when it returns; those that are up are closed.
class LinkServer {
 public:
  // Error kUnavailable with "HOST:PORT: address in use" and the like. Port 0: the system chooses; see port().
  // Loops, identity and handler outlive the server.
  [[nodiscard]] static Result<std::shared_ptr<LinkServer>> start(std::vector<net::EventLoop*> loops,
                                                                 const std::string& host, std::uint16_t port,
                                                                 const Identity& identity,
                                                                 LinkHandler& handler,
                                                                 const LinkServerOptions& options = {});
  ~LinkServer();
  LinkServer(const LinkServer&) = delete;
  LinkServer& operator=(const LinkServer&) = delete;
  void stop();

  [[nodiscard]] std::uint16_t port() const noexcept;

 private:
  class Links;
  class State;
  LinkServer(std::vector<net::EventLoop*> loops, const Identity& identity, LinkHandler& handler,
             const LinkServerOptions& options);

  net::EventLoop accept_loop_{"link-accept"};
  const std::shared_ptr<State> state_;
};

}  // namespace hongyan::link
