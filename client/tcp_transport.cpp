#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include "client/transport.h"

namespace hongyan::client {

namespace {

using net::asio::ip::make_address;

class TcpTransport final : public Transport {
 public:
  explicit TcpTransport(net::Executor executor)
      : socket_(executor), resolver_(executor), deadline_(executor) {}

  net::Awaitable<Status> connect(Endpoint endpoint, Milliseconds timeout) override {
    start_deadline(timeout);
    std::vector<net::Tcp::endpoint> addresses;
    net::error_code ec;
    const auto address = make_address(endpoint.host, ec);
    if (!ec) {
      addresses.emplace_back(address, endpoint.port);
    } else {
      ec = {};
      const auto found =
          co_await resolver_.async_resolve(endpoint.host, std::to_string(endpoint.port), net::await(ec));
      if (ec || closed_) co_return failed(endpoint, ec);
      for (const auto& entry : found) addresses.push_back(entry.endpoint());
    }
    for (const auto& candidate : addresses) {
      socket_.close(ec);
      socket_.open(candidate.protocol(), ec);
      if (!ec) co_await socket_.async_connect(candidate, net::await(ec));
      if (!ec || closed_) break;
    }
    deadline_.cancel();
    if (ec || closed_) co_return failed(endpoint, ec);
    net::error_code ignored;
    socket_.set_option(net::Tcp::no_delay(true), ignored);
    co_return Status{};
  }

  net::Awaitable<Result<std::size_t>> read_some(net::asio::mutable_buffer into) override {
    net::error_code ec;
    const std::size_t bytes = co_await socket_.async_read_some(into, net::await(ec));
    if (ec) co_return fail(Code::kUnavailable, "connection lost: " + ec.message());
    co_return bytes;
  }

  net::Awaitable<Status> write(std::string_view bytes) override {
    net::error_code ec;
    co_await net::asio::async_write(socket_, net::asio::buffer(bytes.data(), bytes.size()), net::await(ec));
    if (ec) co_return fail(Code::kUnavailable, "connection lost: " + ec.message());
    co_return Status{};
  }

  void close() noexcept override {
    closed_ = true;
    net::error_code ignored;
    resolver_.cancel();
    deadline_.cancel();
    socket_.close(ignored);
  }

 private:
  void start_deadline(Milliseconds timeout) {
    deadline_.expires_after(timeout);
    deadline_.async_wait([this, alive = std::weak_ptr<char>(alive_)](net::error_code ec) {
      if (!ec && !alive.expired()) close();
    });
  }

  [[nodiscard]] Status failed(const Endpoint& endpoint, net::error_code ec) const {
    const std::string why = closed_ || !ec ? "timed out or closed" : ec.message();
    return fail(Code::kUnavailable, "cannot connect to " + to_string(endpoint) + ": " + why);
  }

  net::TcpSocket socket_;
  net::TcpResolver resolver_;
  net::Timer deadline_;
  bool closed_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace

std::unique_ptr<Transport> make_tcp_transport(net::Executor executor) {
  return std::make_unique<TcpTransport>(executor);
}

}  // namespace hongyan::client
