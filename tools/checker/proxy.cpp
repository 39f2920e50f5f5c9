#include "tools/checker/proxy.h"

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>

#include "tools/checker/recorder.h"

namespace hongyan::checker {

namespace {

constexpr std::chrono::milliseconds kTick{100};
constexpr double kTicksASecond = 10;
constexpr std::uint64_t kMostBytesToFate = 400;
constexpr Micros kPatience = 1'000'000;  // for these bytes

enum class Fate : std::uint8_t { kNone, kCut, kHalfOpen };

net::Tcp::endpoint address_of(const Endpoint& endpoint) {
  return {net::asio::ip::make_address(endpoint.host), endpoint.port};
}

void reset(net::TcpSocket& socket) {
  net::error_code ignored;
  socket.set_option(net::asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace

struct Proxy::Connection {
  explicit Connection(net::TcpSocket accepted) : client(std::move(accepted)), gate(client.get_executor()) {}

  net::TcpSocket client;
  net::TcpSocket gate;
  Fate fate = Fate::kNone;
  bool met = false;         // the fate has come
  std::uint64_t bytes = 0;  // still forwarded before it
  Micros due = 0;           // it comes by then in any case
  bool by_reset = false;
  Micros client_told = 0;  // half open: when the client is cut off
  int forwarding = 0;

  void meet() {
    met = true;
    if (fate != Fate::kCut) return;
    net::error_code ignored;
    if (by_reset) {
      reset(client);
      reset(gate);
    } else {
      client.close(ignored);
      gate.close(ignored);
    }
  }
  [[nodiscard]] bool abandoned() const { return !client.is_open() && (!gate.is_open() || forwarding == 0); }
};

Proxy::Proxy(net::EventLoop& loop, const Endpoint& gate, std::uint64_t seed)
    : loop_(loop),
      acceptor_(loop.executor(), net::Tcp::endpoint(net::asio::ip::address_v4::loopback(), 0)),
      gate_(address_of(gate)),
      dice_(seed) {
  loop_.spawn("proxy accept", accept(this));
  loop_.spawn("proxy fates", fates(this));
}

Endpoint Proxy::endpoint() const { return {.host = "127.0.0.1", .port = acceptor_.local_endpoint().port()}; }

net::Awaitable<> Proxy::accept(Proxy* self) {
  for (;;) {
    net::error_code ec;
    auto socket = co_await self->acceptor_.async_accept(net::await(ec));
    if (ec) {
      co_await net::sleep_for(kTick);
      continue;
    }
    auto connection = std::make_shared<Connection>(std::move(socket));
    self->connections_.push_back(connection);
    self->loop_.spawn("proxy serve", serve(self, std::move(connection)));
  }
}

net::Awaitable<> Proxy::serve(Proxy* self, std::shared_ptr<Connection> connection) {
  ++self->figures_.connections;
  net::error_code ec;
  net::error_code ignored;
  co_await connection->gate.async_connect(self->gate_, net::await(ec));
  if (ec) {
    connection->client.close(ignored);
    co_return;
  }
  connection->client.set_option(net::Tcp::no_delay(true), ignored);
  connection->gate.set_option(net::Tcp::no_delay(true), ignored);
  connection->forwarding = 2;
  self->loop_.spawn("proxy up", forward(connection, /*up=*/true));
  self->loop_.spawn("proxy down", forward(connection, /*up=*/false));
}

net::Awaitable<> Proxy::forward(std::shared_ptr<Connection> connection, bool up) {
  net::TcpSocket& from = up ? connection->client : connection->gate;
  net::TcpSocket& to = up ? connection->gate : connection->client;
  std::array<char, 16 << 10> buffer;
  net::error_code ec;
  while (!connection->met) {
    std::size_t size = co_await from.async_read_some(net::asio::buffer(buffer), net::await(ec));
    if (connection->met || ec) break;
    if (connection->fate != Fate::kNone) {
      size = std::min<std::size_t>(size, connection->bytes);
      connection->bytes -= size;
    }
    co_await net::asio::async_write(to, net::asio::buffer(buffer.data(), size), net::await(ec));
    if (ec) break;
    if (connection->fate != Fate::kNone && connection->bytes == 0) connection->meet();
  }
  --connection->forwarding;
  if (connection->met) co_return;
  net::error_code ignored;
  to.shutdown(net::Tcp::socket::shutdown_send, ignored);
  if (connection->forwarding > 0) co_return;
  connection->client.close(ignored);
  connection->gate.close(ignored);
}

net::Awaitable<> Proxy::fates(Proxy* self) {
  for (;;) {
    co_await net::sleep_for(kTick);
    self->tick();
  }
}

void Proxy::tick() {
  const Micros now = now_micros();
  std::erase_if(connections_, [](const auto& connection) {
    return connection->abandoned() && connection->fate != Fate::kHalfOpen;
  });
  for (const auto& connection : connections_) {
    if (connection->fate == Fate::kHalfOpen && connection->met) {
      if (now > connection->client_told) reset(connection->client);
      continue;
    }
    if (connection->fate != Fate::kNone) {
      if (now > connection->due && !connection->met) connection->meet();
      continue;
    }
    if (dice_.chance(faults_.cut / kTicksASecond)) {
      connection->fate = Fate::kCut;
      ++figures_.cut;
    } else if (dice_.chance(faults_.half_open / kTicksASecond)) {
      connection->fate = Fate::kHalfOpen;
      ++figures_.half_open;
    } else {
      continue;
    }
    connection->bytes = 1 + dice_.below(kMostBytesToFate);
    connection->by_reset = dice_.chance(0.5);
    connection->due = now + kPatience;
    connection->client_told = now + 3'000'000 + static_cast<Micros>(dice_.below(12'000'000));
  }
}

void Proxy::heal() {
  faults_ = {};
  for (const auto& connection : connections_) {
    if (connection->fate == Fate::kHalfOpen) {
      connection->met = true;
      reset(connection->client);
    } else if (connection->fate == Fate::kCut && !connection->met) {
      connection->meet();
    }
  }
}

}  // namespace hongyan::checker
