// Keeps one link to one peer: connects, and connects again.
#pragma once

#include <memory>
#include <string>

#include "common/link/link.h"

namespace hongyan::link {

// Connects with jittered exponential back-off (50 ms to 2 s), for ever. Lives on one loop; stop() by any
// thread, after which no new link comes up and the present one is closed. The identity and the handler
// outlive it.
class LinkClient : public std::enable_shared_from_this<LinkClient> {
 public:
  // worker: told to the peer in the hello. host: a name or an address.
  [[nodiscard]] static std::shared_ptr<LinkClient> start(net::EventLoop& loop, std::string host,
                                                         std::uint16_t port, const Identity& identity,
                                                         LinkHandler& handler, std::uint32_t worker = 0,
                                                         LinkOptions options = {});
  void stop();

  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  LinkClient(net::EventLoop& loop, std::string host, std::uint16_t port, const Identity& identity,
             LinkHandler& handler, std::uint32_t worker, LinkOptions options);
  [[nodiscard]] static net::Awaitable<> run(std::shared_ptr<LinkClient> self);
  [[nodiscard]] static net::Awaitable<LinkPtr> connect(std::shared_ptr<LinkClient> self);

  net::EventLoop& loop_;
  const std::string host_;
  const std::uint16_t port_;
  const Identity& identity_;
  LinkHandler& handler_;
  const std::uint32_t worker_;
  const LinkOptions options_;

  // Loop only.
  net::Timer timer_;
  LinkPtr link_;
  bool stopped_ = false;
};

}  // namespace hongyan::link
