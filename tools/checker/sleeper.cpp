#include "tools/checker/sleeper.h"

#include <array>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "common/net/packet.h"
#include "proto/client.pb.h"

namespace hongyan::checker {

namespace {
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kNothingMore{2};
constexpr int kSmallBuffer = 4096;
}  // namespace

Sleeper::Sleeper(net::EventLoop& loop, SleeperOptions options)
    : loop_(loop), options_(std::move(options)), socket_(loop.executor()) {}

void Sleeper::start() { loop_.spawn("sleeper", run(shared_from_this())); }

net::Awaitable<> Sleeper::run(std::shared_ptr<Sleeper> self) {
  co_await self->log_in();
  while (!self->awake_) co_await net::sleep_for(kLook);
  co_await self->drain();
  self->ended_ = true;
}

net::Awaitable<> Sleeper::log_in() {
  net::error_code ec;
  socket_.open(net::Tcp::v4(), ec);
  socket_.set_option(net::asio::socket_base::receive_buffer_size(kSmallBuffer), ec);
  co_await socket_.async_connect({net::asio::ip::make_address(options_.gate.host), options_.gate.port},
                                 net::await(ec));
  client::AuthReq request;
  request.set_uid(options_.uid);
  request.set_token(options_.token);
  request.set_app_id(options_.app);
  request.set_device_id("sleeper");
  std::string bytes;
  net::append_packet(bytes, client::kClientVersion, client::COMMAND_AUTH, 1, request.SerializeAsString());
  if (!ec) co_await net::asio::async_write(socket_, net::asio::buffer(bytes), net::await(ec));
  std::array<char, net::kHeaderSize> header;
  if (!ec) co_await net::asio::async_read(socket_, net::asio::buffer(header), net::await(ec));
}

net::Awaitable<> Sleeper::drain() {
  net::Timer silence(loop_.executor());
  std::array<char, 64 << 10> buffer;
  for (;;) {
    bool silent = false;
    silence.expires_after(kNothingMore);
    silence.async_wait([this, &silent](net::error_code ec) {
      if (ec) return;
      silent = true;
      net::error_code ignored;
      socket_.cancel(ignored);
    });
    net::error_code ec;
    const std::size_t size = co_await socket_.async_read_some(net::asio::buffer(buffer), net::await(ec));
    silence.cancel();
    bytes_ += size;
    if (!ec) continue;
    closed_ = !silent;
    co_return;
  }
}

}  // namespace hongyan::checker
