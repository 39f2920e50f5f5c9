#include "common/link/link_client.h"

#include <algorithm>
#include <random>

#include "common/base/random.h"
#include "common/log/log.h"

namespace hongyan::link {

namespace {

constexpr Milliseconds kFirstDelay{50};
constexpr Milliseconds kLongestDelay{2000};
constexpr Milliseconds kConnectDeadline{3000};

Milliseconds jittered(Milliseconds delay) {
  thread_local std::minstd_rand random(static_cast<std::uint32_t>(hongyan::random_id()));
  return Milliseconds(std::uniform_int_distribution<std::int64_t>(delay.count() / 2, delay.count())(random));
}

}  // namespace

LinkClient::LinkClient(net::EventLoop& loop, std::string host, std::uint16_t port, const Identity& identity,
                       LinkHandler& handler, std::uint32_t worker, LinkOptions options)
    : loop_(loop),
      host_(std::move(host)),
      port_(port),
      identity_(identity),
      handler_(handler),
      worker_(worker),
      options_(options),
      timer_(loop.executor()) {}

std::shared_ptr<LinkClient> LinkClient::start(net::EventLoop& loop, std::string host, std::uint16_t port,
                                              const Identity& identity, LinkHandler& handler,
                                              std::uint32_t worker, LinkOptions options) {
  std::shared_ptr<LinkClient> client(
      new LinkClient(loop, std::move(host), port, identity, handler, worker, options));
  loop.spawn("link client", run(client));
  return client;
}

void LinkClient::stop() {
  loop_.post([self = shared_from_this()] {
    self->stopped_ = true;
    self->timer_.cancel();
    if (self->link_) self->link_->close("stopped");
  });
}

net::Awaitable<LinkPtr> LinkClient::connect(std::shared_ptr<LinkClient> self) {
  net::error_code ec;
  net::TcpResolver resolver(self->loop_.executor());
  const auto endpoints =
      co_await resolver.async_resolve(self->host_, std::to_string(self->port_), net::await(ec));
  if (ec) {
    log::debug("link", "cannot resolve host={} reason={}", self->host_, ec.message());
    co_return nullptr;
  }
  for (const auto& endpoint : endpoints) {
    auto socket = std::make_shared<net::TcpSocket>(self->loop_.executor());
    self->timer_.expires_after(kConnectDeadline);
    self->timer_.async_wait([socket](net::error_code timer_ec) {
      net::error_code ignored;
      if (!timer_ec) socket->close(ignored);
    });
    co_await socket->async_connect(endpoint, net::await(ec));
    self->timer_.cancel();
    if (self->stopped_) co_return nullptr;
    if (!ec) {
      co_return std::make_shared<Link>(self->loop_, std::move(*socket), self->identity_, self->handler_,
                                       self->options_);
    }
  }
  log::debug("link", "cannot connect host={} port={} reason={}", self->host_, self->port_, ec.message());
  co_return nullptr;
}

net::Awaitable<> LinkClient::run(std::shared_ptr<LinkClient> self) {
  Milliseconds delay = kFirstDelay;
  while (!self->stopped_) {
    self->link_ = co_await connect(self);
    if (self->link_) {
      const auto begin = SteadyClock::now();
      co_await Link::run(self->link_, Side::kClient, self->worker_);
      self->link_.reset();
      if (SteadyClock::now() - begin > kLongestDelay) delay = kFirstDelay;
    }
    if (self->stopped_) break;
    self->timer_.expires_after(jittered(delay));
    net::error_code ignored;
    co_await self->timer_.async_wait(net::await(ignored));
    delay = std::min(delay * 2, kLongestDelay);
  }
}

}  // namespace hongyan::link
