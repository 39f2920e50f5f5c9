#include "common/link/link_client.h"

#include "common/log/log.h"

namespace hongyan::link {

namespace {

constexpr Milliseconds kFirstDelay{50};
constexpr Milliseconds kLongestDelay{2000};
constexpr Milliseconds kConnectDeadline{3000};

}  // namespace

LinkClient::LinkClient(net::EventLoop& loop, hongyan::Endpoint endpoint, const Identity& identity,
                       LinkHandler& handler, std::uint32_t worker, LinkOptions options)
    : loop_(loop),
      endpoint_(std::move(endpoint)),
      identity_(identity),
      handler_(handler),
      worker_(worker),
      options_(options),
      backoff_(kFirstDelay, kLongestDelay, random_),
      timer_(loop.executor()) {}

std::shared_ptr<LinkClient> LinkClient::start(net::EventLoop& loop, hongyan::Endpoint endpoint,
                                              const Identity& identity, LinkHandler& handler,
                                              std::uint32_t worker, LinkOptions options) {
  std::shared_ptr<LinkClient> client(
      new LinkClient(loop, std::move(endpoint), identity, handler, worker, options));
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
  const auto endpoints = co_await resolver.async_resolve(
      self->endpoint_.host, std::to_string(self->endpoint_.port), net::await(ec));
  if (ec) {
    log::debug("link", "cannot resolve host={} reason={}", self->endpoint_.host, ec.message());
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
  log::debug("link", "cannot connect host={} port={} reason={}", self->endpoint_.host, self->endpoint_.port,
             ec.message());
  co_return nullptr;
}

net::Awaitable<> LinkClient::run(std::shared_ptr<LinkClient> self) {
  while (!self->stopped_) {
    self->link_ = co_await connect(self);
    if (self->link_) {
      const auto begin = SteadyClock::now();
      co_await Link::run(self->link_, Side::kClient, self->worker_);
      self->link_.reset();
      if (SteadyClock::now() - begin > kLongestDelay) self->backoff_.reset();
    }
    if (self->stopped_) break;
    self->timer_.expires_after(self->backoff_.next());
    net::error_code ignored;
    co_await self->timer_.async_wait(net::await(ignored));
  }
}

}  // namespace hongyan::link
