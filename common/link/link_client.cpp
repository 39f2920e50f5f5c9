#include "common/link/link_client.h"

#include "common/log/log.h"
#include "common/net/deadline.h"

namespace hongyan::link {

namespace {

constexpr Milliseconds kFirstDelay{50};
constexpr Milliseconds kLongestDelay{2000};
constexpr Milliseconds kConnectDeadline{3000};
constexpr Milliseconds kHelloDeadline{5000};

void close(net::TcpSocket& socket) {
  net::error_code ignored;
  socket.close(ignored);
}

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
    if (self->socket_) close(*self->socket_);
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
    self->socket_ = std::make_shared<net::TcpSocket>(self->loop_.executor());
    net::Deadline deadline(self->loop_.executor(), [socket = self->socket_] { close(*socket); });
    deadline.arm(kConnectDeadline);
    co_await self->socket_->async_connect(endpoint, net::await(ec));
    if (self->stopped_) co_return nullptr;
    if (ec) continue;
    deadline.arm(kHelloDeadline);
    co_return co_await meet(self);
  }
  log::debug("link", "cannot connect host={} port={} reason={}", self->endpoint_.host, self->endpoint_.port,
             ec.message());
  co_return nullptr;
}

net::Awaitable<LinkPtr> LinkClient::meet(std::shared_ptr<LinkClient> self) {
  net::error_code ignored;
  self->socket_->set_option(net::Tcp::no_delay(true), ignored);
  auto proved = co_await shake_hands(*self->socket_, self->identity_, Side::kClient, self->worker_);
  if (self->stopped_) co_return nullptr;
  if (!proved) {
    const auto level = proved.error().code == Code::kUnavailable ? log::Level::kDebug : log::Level::kWarn;
    log::write(level, "link", "hello failed host={} port={} code={} reason={}", self->endpoint_.host,
               self->endpoint_.port, code_name(proved.error().code), log::quoted(proved.error().message));
    co_return nullptr;
  }
  co_return std::make_shared<Link>(self->loop_, std::move(*self->socket_), self->handler_, self->options_,
                                   std::move(*proved));
}

net::Awaitable<> LinkClient::run(std::shared_ptr<LinkClient> self) {
  while (!self->stopped_) {
    self->link_ = co_await connect(self);
    self->socket_.reset();
    if (self->link_) {
      const auto begin = SteadyClock::now();
      co_await Link::run(self->link_);
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
