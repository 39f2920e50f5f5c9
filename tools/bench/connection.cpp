#include "tools/bench/connection.h"

#include <array>
#include <boost/asio/write.hpp>

#include "common/base/clock.h"

namespace hongyan::bench {

namespace {
constexpr std::uint32_t kClientVersion = 200;
constexpr std::uint32_t kAuthSeq = 1;
}  // namespace

net::Awaitable<Result<client::AuthResp>> Connection::log_in(Login login) {
  net::error_code ec;
  const auto address = net::asio::ip::make_address(login.host, ec);
  if (ec) co_return fail(Code::kBadRequest, "a gate's host must be an address: " + login.host);
  co_await socket_.async_connect({address, login.port}, net::await(ec));
  if (ec) co_return fail(Code::kUnavailable, "cannot connect to a gate: " + ec.message());
  socket_.set_option(net::Tcp::no_delay(true), ec);
  client::AuthReq request;
  request.set_token(login.token);
  request.set_uid(login.uid);
  request.set_app_id(login.app_id);
  request.set_timestamp(wall_ms());
  request.set_device_type(client::DEVICE_TYPE_LINUX);
  request.set_device_id("bench");
  queue(client::COMMAND_AUTH, kAuthSeq, request);
  const std::string bytes = std::exchange(queued_, {});
  co_await net::asio::async_write(socket_, net::asio::buffer(bytes), net::await(ec));
  while (!ec) {
    const std::size_t got = co_await socket_.async_read_some(net::asio::buffer(input_), net::await(ec));
    if (ec) break;
    decoder_.feed({input_.data(), got});
    const auto packet = decoder_.next();
    if (!packet) co_return fail(Code::kInternal, std::string(net::to_string(packet.error())));
    if (*packet != nullptr) {
      client::AuthResp response;
      response.ParseFromArray((*packet)->body.data(), static_cast<int>((*packet)->body.size()));
      decoder_.keep();
      if (response.error().code() == client::ERROR_CODE_OK) co_return response;
      co_return fail(static_cast<Code>(response.error().code()),
                     "login refused: " + response.error().message());
    }
    decoder_.keep();
  }
  co_return fail(Code::kUnavailable, "connection lost at login: " + ec.message());
}

void Connection::run(Handlers handlers) {
  handlers_ = std::move(handlers);
  handle(0);
}

void Connection::close() {
  closed_ = true;
  net::error_code ignored;
  socket_.close(ignored);
}

void Connection::lost(const std::string& why) {
  if (closed_) return;
  close();
  handlers_.on_lost(why);
}

void Connection::read() {
  socket_.async_read_some(net::asio::buffer(input_),
                          [self = shared_from_this()](net::error_code ec, std::size_t bytes) {
                            if (ec) return self->lost(ec.message());
                            self->handle(bytes);
                          });
}

void Connection::handle(std::size_t bytes) {
  decoder_.feed({input_.data(), bytes});
  while (!closed_) {
    const auto packet = decoder_.next();
    if (!packet) return lost(std::string(net::to_string(packet.error())));
    if (*packet == nullptr) break;
    handlers_.on_packet(**packet);
  }
  if (closed_) return;
  decoder_.keep();
  handlers_.on_batch_end();
  if (!closed_) read();
}

void Connection::queue(client::Command command, std::uint32_t seq,
                       const google::protobuf::MessageLite& body) {
  std::array<char, net::kHeaderSize> header;
  net::write_header({.client_version = kClientVersion,
                     .cmd_id = static_cast<std::uint32_t>(command),
                     .seq = seq,
                     .body_length = static_cast<std::uint32_t>(body.ByteSizeLong())},
                    header.data());
  queued_.append(header.data(), header.size());
  body.AppendToString(&queued_);
}

void Connection::flush() {
  if (queued_.empty() || !writing_.empty() || closed_) return;
  std::swap(queued_, writing_);
  net::asio::async_write(socket_, net::asio::buffer(writing_),
                         [self = shared_from_this()](net::error_code ec, std::size_t /*bytes*/) {
                           self->writing_.clear();
                           if (ec) return self->lost(ec.message());
                           self->flush();
                         });
}

}  // namespace hongyan::bench
