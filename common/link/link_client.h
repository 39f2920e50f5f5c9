// Keeps one link to one peer: connects, and connects again.
#pragma once

#include <memory>

#include "common/base/backoff.h"
#include "common/base/endpoint.h"
#include "common/base/random.h"
#include "common/link/link.h"

namespace hongyan::link {

// Connects with jittered exponential back-off (50 ms to 2 s), for ever. Lives on one loop; stop() by any
// thread, after which no new link comes up and the present one is closed. The identity and the handler
// outlive it.
class LinkClient : public std::enable_shared_from_this<LinkClient> {
 public:
  // worker: told to the peer in the hello.
  [[nodiscard]] static std::shared_ptr<LinkClient> start(net::EventLoop& loop, hongyan::Endpoint endpoint,
                                                         const Identity& identity, LinkHandler& handler,
                                                         std::uint32_t worker = 0, LinkOptions options = {});
  void stop();

  [[nodiscard]] const hongyan::Endpoint& endpoint() const noexcept { return endpoint_; }

 private:
  LinkClient(net::EventLoop& loop, hongyan::Endpoint endpoint, const Identity& identity, LinkHandler& handler,
             std::uint32_t worker, LinkOptions options);
  [[nodiscard]] static net::Awaitable<> run(std::shared_ptr<LinkClient> self);
  [[nodiscard]] static net::Awaitable<LinkPtr> connect(std::shared_ptr<LinkClient> self);
  // Null: the peer did not prove itself.
  [[nodiscard]] static net::Awaitable<LinkPtr> meet(std::shared_ptr<LinkClient> self);

  net::EventLoop& loop_;
  const hongyan::Endpoint endpoint_;
  const Identity& identity_;
  LinkHandler& handler_;
  const std::uint32_t worker_;
  const LinkOptions options_;

  // Loop only.
  const Random random_ = random_fraction;
  Backoff backoff_;
  net::Timer timer_;
  std::shared_ptr<net::TcpSocket> socket_;  // until it is a link
  LinkPtr link_;
  bool stopped_ = false;
};

}  // namespace hongyan::link
