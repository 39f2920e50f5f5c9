// A link between a client and a gate that carries so many bytes a second each way.
#pragma once

#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "common/net/asio.h"
#include "common/net/event_loop.h"

namespace hongyan::testing {

// Own thread. What waits for its turn waits in the sockets' buffers. Connections end with it.
class SlowProxy {
 public:
  SlowProxy(std::uint16_t to, std::size_t bytes_per_second)
      : to_(net::asio::ip::address_v4::loopback(), to),
        share_(bytes_per_second * kTurn.count() / 1'000),
        acceptor_(loop_.executor(), net::Tcp::endpoint(net::asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()) {
    loop_.start();
    loop_.spawn("slow proxy", accept_loop(this));
  }
  ~SlowProxy() {
    loop_.stop();
    loop_.join();
  }
  SlowProxy(const SlowProxy&) = delete;
  SlowProxy& operator=(const SlowProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  using Socket = std::shared_ptr<net::TcpSocket>;
  static constexpr std::chrono::milliseconds kTurn{20};

  static net::Awaitable<> accept_loop(SlowProxy* self) {
    for (;;) {
      net::error_code ec;
      auto client = std::make_shared<net::TcpSocket>(co_await self->acceptor_.async_accept(net::await(ec)));
      if (ec) co_return;
      auto gate = std::make_shared<net::TcpSocket>(self->loop_.executor());
      co_await gate->async_connect(self->to_, net::await(ec));
      if (ec) continue;
      self->loop_.spawn("slow proxy up", carry(client, gate, self->share_));
      self->loop_.spawn("slow proxy down", carry(gate, client, self->share_));
    }
  }

  static net::Awaitable<> carry(Socket from, Socket to, std::size_t share) {
    std::vector<char> buffer(share);
    net::error_code ec;
    while (!ec) {
      const std::size_t bytes = co_await from->async_read_some(net::asio::buffer(buffer), net::await(ec));
      if (ec) break;
      co_await net::asio::async_write(*to, net::asio::buffer(buffer.data(), bytes), net::await(ec));
      co_await net::sleep_for(kTurn);
    }
    from->close(ec);
    to->close(ec);
  }

  net::EventLoop loop_{"slow-proxy"};
  const net::Tcp::endpoint to_;
  const std::size_t share_;
  net::TcpAcceptor acceptor_;
  const std::uint16_t port_;
};

}  // namespace hongyan::testing
