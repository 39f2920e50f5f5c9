#include "tools/bench/actors/connection.h"

#include <array>
#include <boost/asio/write.hpp>

#include "common/net/deadline.h"

namespace hongyan::bench {

namespace {
constexpr std::uint32_t kAuthSeq = 1;
constexpr std::uint32_t kLogoutSeq = 2;
constexpr Milliseconds kPatience{20'000};
constexpr std::size_t kSmallBuffer = 4096;
}  // namespace

void LoopIo::flush_later(std::shared_ptr<Connection> connection) {
  dirty_.push_back(std::move(connection));
  if (dirty_.size() > 1) return;
  loop_.post([this] {
    std::swap(dirty_, flushing_);
    for (auto& dirty : flushing_) {
      dirty->dirty_ = false;
      dirty->flush();
    }
    flushing_.clear();
  });
}

net::Awaitable<Result<client::AuthResp>> Connection::log_in(Login login) {
  net::Deadline deadline(io_.loop_.executor(), [this] { close(); });
  deadline.arm(kPatience);
  const Status opened = co_await open(login);
  if (!opened) co_return std::unexpected(opened.error());
  client::AuthReq request;
  request.set_token(login.token);
  request.set_uid(login.uid);
  request.set_app_id(login.app_id);
  request.set_timestamp(wall_ms());
  request.set_device_type(login.device);
  request.set_device_id("bench");
  queue(client::COMMAND_AUTH, kAuthSeq, request);
  const auto body = co_await exchange(client::COMMAND_AUTH);
  if (!body) co_return std::unexpected(body.error());
  client::AuthResp response;
  if (!response.ParseFromString(*body)) co_return fail(Code::kInternal, "a login's answer does not parse");
  if (response.error().code() == client::ERROR_CODE_OK) co_return response;
  co_return fail(static_cast<Code>(response.error().code()), "login refused: " + response.error().message(),
                 response.error().retry_after_ms());
}

net::Awaitable<Result<std::string>> Connection::request(client::Command command, std::uint32_t seq,
                                                        std::string body) {
  net::Deadline deadline(io_.loop_.executor(), [this] { close(); });
  deadline.arm(kPatience);
  queue(command, seq, body);
  co_return co_await exchange(command);
}

net::Awaitable<Status> Connection::open(const Login& login) {
  if (login.transports) {
    transport_ = login.transports(io_.loop_.executor());
    co_return co_await transport_->connect({login.gate.address().to_string(), login.gate.port()}, kPatience);
  }
  net::error_code ec;
  socket_.open(login.gate.protocol(), ec);
  if (!ec && login.source != net::Tcp::endpoint()) socket_.bind(login.source, ec);
  if (!ec) co_await socket_.async_connect(login.gate, net::await(ec));
  if (ec) co_return fail(Code::kUnavailable, "cannot connect to a gate: " + ec.message());
  socket_.set_option(net::Tcp::no_delay(true), ec);
  co_return Status{};
}

net::Awaitable<Status> Connection::write_all(std::string_view bytes) {
  if (transport_) co_return co_await transport_->write(bytes);
  net::error_code ec;
  co_await net::asio::async_write(socket_, net::asio::buffer(bytes), net::await(ec));
  if (ec) co_return fail(Code::kUnavailable, ec.message());
  co_return Status{};
}

net::Awaitable<Result<std::size_t>> Connection::read_some(net::asio::mutable_buffer into) {
  if (transport_) co_return co_await transport_->read_some(into);
  net::error_code ec;
  const std::size_t bytes = co_await socket_.async_read_some(into, net::await(ec));
  if (ec) co_return fail(ec == net::asio::error::eof ? Code::kNotFound : Code::kUnavailable, ec.message());
  co_return bytes;
}

net::Awaitable<Status> Connection::log_out() {
  net::Deadline deadline(io_.loop_.executor(), [this] { close(); });
  deadline.arm(kPatience);
  queue(client::COMMAND_LOGOUT, kLogoutSeq);
  const auto body = co_await exchange(client::COMMAND_LOGOUT);
  if (!body) co_return std::unexpected(body.error());
  client::LogoutResp response;
  if (!response.ParseFromString(*body) || response.error().code() != client::ERROR_CODE_OK) {
    co_return fail(Code::kInternal, "logout refused: " + response.error().message());
  }
  std::array<char, kSmallBuffer> rest;
  Result<std::size_t> more = 0;
  while (more) more = co_await read_some(net::asio::buffer(rest));
  // How a transport's stream ends is not told from its loss.
  if (!transport_ && more.error().code != Code::kNotFound) {
    co_return fail(Code::kUnavailable, "after logout: " + more.error().message);
  }
  close();
  co_return Status{};
}

net::Awaitable<Result<std::string>> Connection::exchange(client::Command command) {
  const std::string bytes = std::exchange(queued_, {});
  std::array<char, kSmallBuffer> input;
  Status status = co_await write_all(bytes);
  while (status) {
    auto body = take_early(command);
    if (body) co_return std::move(*body);
    const auto got = co_await read_some(net::asio::buffer(input));
    if (got) {
      early_.append(input.data(), *got);
    } else {
      status = std::unexpected(got.error());
    }
  }
  co_return fail(closed_ ? Code::kDeadlineExceeded : Code::kUnavailable,
                 client::Command_Name(command) + ": " + status.error().message);
}

std::optional<std::string> Connection::take_early(client::Command command) {
  while (early_.size() >= net::kHeaderSize) {
    const auto header = net::read_header(early_.data());
    const std::size_t end = std::size_t{header.header_length} + header.body_length;
    if (early_.size() < end) break;
    std::string body = early_.substr(header.header_length, header.body_length);
    early_.erase(0, end);
    if (header.cmd_id == static_cast<std::uint32_t>(command)) return body;
  }
  return std::nullopt;
}

void Connection::run(Handlers handlers) {
  handlers_ = std::move(handlers);
  running_ = true;
  if (!transport_) {
    net::error_code ignored;
    socket_.native_non_blocking(true, ignored);
  }
  const std::string early = std::exchange(early_, {});
  read_at_ = SteadyClock::now();
  decoder_.feed(early);
  handle();
  if (closed_) return;
  if (transport_) {
    io_.loop_.spawn("bench read", read_always(shared_from_this()));
  } else {
    read();
  }
}

net::Awaitable<> Connection::read_always(std::shared_ptr<Connection> self) {
  std::array<char, kSmallBuffer> input;
  while (!self->closed_) {
    const auto bytes = co_await self->transport_->read_some(net::asio::buffer(input));
    if (!bytes) {
      self->lost(bytes.error().message);
      break;
    }
    if (!self->closed_) self->received({input.data(), *bytes});
  }
}

net::Awaitable<> Connection::write_queued(std::shared_ptr<Connection> self) {
  while (!self->queued_.empty() && !self->closed_) {
    self->writing_ = std::exchange(self->queued_, {});
    const Status written = co_await self->transport_->write(self->writing_);
    self->writing_.clear();
    if (!written) self->lost(written.error().message);
  }
  self->sending_ = false;
}

void Connection::close() {
  closed_ = true;
  if (transport_) transport_->close();
  net::error_code ignored;
  socket_.close(ignored);
}

void Connection::later(Milliseconds delay, std::function<void()> f) {
  auto timer = std::make_shared<net::Timer>(io_.loop_.executor());
  timer->expires_after(delay);
  timer->async_wait([self = shared_from_this(), timer, f = std::move(f)](net::error_code ec) {
    if (!ec && !self->closed_) f();
  });
}

void Connection::lost(const std::string& why) {
  if (closed_) return;
  close();
  handlers_.on_lost(why);
}

void Connection::read() {
  socket_.async_wait(net::TcpSocket::wait_read, [self = shared_from_this()](net::error_code ec) {
    if (ec) return self->lost(ec.message());
    self->on_readable();
  });
}

void Connection::on_readable() {
  if (closed_) return;
  net::error_code ec;
  const std::size_t bytes = socket_.read_some(net::asio::buffer(io_.input_), ec);
  if (ec && ec != net::asio::error::would_block) return lost(ec.message());
  if (bytes > 0) received({io_.input_.data(), bytes});
  if (!closed_) read();  // arming it anew tells at once when there is more
}

void Connection::received(std::string_view bytes) {
  read_at_ = SteadyClock::now();
  decoder_.feed(bytes);
  handle();
}

void Connection::handle() {
  while (!closed_) {
    const auto packet = decoder_.next();
    if (!packet) return lost(std::string(net::to_string(packet.error())));
    if (*packet == nullptr) break;
    handlers_.on_packet(**packet);
  }
  if (closed_) return;
  decoder_.keep();
  if (handlers_.on_batch_end) handlers_.on_batch_end();
}

void Connection::queue(client::Command command, std::uint32_t seq, std::string_view body) {
  std::array<char, net::kHeaderSize> header;
  net::write_header({.client_version = client::kClientVersion,
                     .cmd_id = static_cast<std::uint32_t>(command),
                     .seq = seq,
                     .body_length = static_cast<std::uint32_t>(body.size())},
                    header.data());
  queued_.append(header.data(), header.size());
  queued_.append(body);
  leave_later();
}

void Connection::queue(client::Command command, std::uint32_t seq,
                       const google::protobuf::MessageLite& body) {
  const std::size_t begin = queued_.size();
  const std::size_t size = body.ByteSizeLong();
  queued_.resize(begin + net::kHeaderSize + size);
  net::write_header({.client_version = client::kClientVersion,
                     .cmd_id = static_cast<std::uint32_t>(command),
                     .seq = seq,
                     .body_length = static_cast<std::uint32_t>(size)},
                    queued_.data() + begin);
  body.SerializeWithCachedSizesToArray(
      reinterpret_cast<std::uint8_t*>(queued_.data() + begin + net::kHeaderSize));
  leave_later();
}

void Connection::leave_later() {
  if (!running_ || dirty_ || closed_) return;
  dirty_ = true;
  io_.flush_later(shared_from_this());
}

void Connection::flush() {
  if (queued_.empty() || !writing_.empty() || closed_) return;
  if (transport_) {
    if (!std::exchange(sending_, true)) io_.loop_.spawn("bench write", write_queued(shared_from_this()));
    return;
  }
  net::error_code ec;
  const std::size_t written = socket_.write_some(net::asio::buffer(queued_), ec);
  if (ec && ec != net::asio::error::would_block) return lost(ec.message());
  if (written == queued_.size()) return queued_.clear();
  writing_ = queued_.substr(written);
  queued_.clear();
  net::asio::async_write(socket_, net::asio::buffer(writing_),
                         [self = shared_from_this()](net::error_code error, std::size_t /*bytes*/) {
                           self->writing_.clear();
                           if (error) return self->lost(error.message());
                           self->flush();
                         });
}

}  // namespace hongyan::bench
