#include "client/cpp/stream_transport.h"

#include <array>

namespace hongyan::client {

namespace {

using Outcome = net::StreamIo::Outcome;
using net::asio::ip::make_address;

Status lost(std::string_view why) { return fail(Code::kUnavailable, "connection lost: " + std::string(why)); }

}  // namespace

Result<TransportFactory> make_transports(TransportKind kind, const std::string& ca_file) {
  std::shared_ptr<TlsTrust> tls;
  if (kind == TransportKind::kTls || kind == TransportKind::kWss) {
    auto context = net::TlsContext::client(ca_file);
    if (!context) return std::unexpected(context.error());
    tls = std::make_shared<TlsTrust>();
    tls->context = std::move(*context);
  }
  if (kind == TransportKind::kWs || kind == TransportKind::kWss) {
    return [tls](net::Executor executor) { return make_ws_transport(executor, tls); };
  }
  return [tls](net::Executor executor) { return std::make_unique<StreamTransport>(executor, tls); };
}

std::unique_ptr<Transport> make_tcp_transport(net::Executor executor) {
  return std::make_unique<StreamTransport>(executor, nullptr);
}

StreamTransport::StreamTransport(net::Executor executor, std::shared_ptr<TlsTrust> tls)
    : tls_(std::move(tls)), socket_(executor), resolver_(executor), deadline_(executor) {}

net::Awaitable<Status> StreamTransport::connect(Endpoint endpoint, Milliseconds timeout) {
  start_deadline(timeout);
  const std::string where = format_endpoint(endpoint);
  const Status status = co_await establish(std::move(endpoint));
  deadline_.cancel();
  if (status && !closed_) co_return Status{};
  const std::string why = closed_ || status ? "timed out or closed" : status.error().message;
  co_return fail(Code::kUnavailable, "cannot connect to " + where + ": " + why);
}

net::Awaitable<Status> StreamTransport::establish(Endpoint endpoint) {
  Status status = co_await connect_socket(endpoint);
  if (!status || closed_) co_return status;
  if (tls_) {
    stream_.emplace(std::move(socket_), *tls_->context, endpoint.host, &tls_->resumption);
  } else {
    stream_.emplace(std::move(socket_));
  }
  status = co_await secure();
  if (status && !closed_) status = co_await greet(std::move(endpoint));
  co_return status;
}

net::Awaitable<Status> StreamTransport::connect_socket(Endpoint endpoint) {
  std::vector<net::Tcp::endpoint> addresses;
  net::error_code ec;
  const auto address = make_address(endpoint.host, ec);
  if (!ec) {
    addresses.emplace_back(address, endpoint.port);
  } else {
    ec = {};
    const auto found =
        co_await resolver_.async_resolve(endpoint.host, std::to_string(endpoint.port), net::await(ec));
    if (ec || closed_) co_return fail(Code::kUnavailable, ec.message());
    for (const auto& entry : found) addresses.push_back(entry.endpoint());
  }
  for (const auto& candidate : addresses) {
    net::error_code ignored;
    socket_.close(ignored);
    socket_.open(candidate.protocol(), ec);
    if (!ec) co_await socket_.async_connect(candidate, net::await(ec));
    if (!ec || closed_) break;
  }
  if (ec) co_return fail(Code::kUnavailable, ec.message());
  co_return Status{};
}

net::Awaitable<Status> StreamTransport::secure() {
  for (;;) {
    const auto io = stream_->handshake();
    if (io.outcome == Outcome::kDone) co_return Status{};
    if (io.outcome == Outcome::kClosed) co_return fail(Code::kUnavailable, "closed during the TLS handshake");
    if (io.outcome == Outcome::kFailed) co_return fail(Code::kUnavailable, "TLS: " + stream_->failure());
    net::error_code ec;
    co_await stream_->socket().async_wait(stream_->read_wait(), net::await(ec));
    if (ec) co_return fail(Code::kUnavailable, ec.message());
  }
}

net::Awaitable<Status> StreamTransport::greet(Endpoint) { co_return Status{}; }

net::Awaitable<Result<std::size_t>> StreamTransport::read_some(net::asio::mutable_buffer into) {
  bool readable = stream_->buffered();
  for (;;) {
    net::error_code ec;
    if (!std::exchange(readable, false)) {
      co_await stream_->socket().async_wait(stream_->read_wait(), net::await(ec));
    }
    if (ec) co_return std::unexpected(lost(ec.message()).error());
    const auto io = stream_->read_some(into);
    if (io.outcome == Outcome::kDone) co_return io.bytes;
    if (io.outcome == Outcome::kClosed) co_return std::unexpected(lost("End of file").error());
    if (io.outcome == Outcome::kFailed) co_return std::unexpected(lost(stream_->failure()).error());
  }
}

net::Awaitable<Status> StreamTransport::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto io = stream_->write_some(std::array{net::asio::const_buffer(bytes.data(), bytes.size())});
    if (io.outcome == Outcome::kDone) {
      bytes.remove_prefix(io.bytes);
      continue;
    }
    if (io.outcome != Outcome::kBlocked) co_return lost(stream_->failure());
    net::error_code ec;
    co_await stream_->socket().async_wait(stream_->write_wait(), net::await(ec));
    if (ec) co_return lost(ec.message());
  }
  co_return Status{};
}

void StreamTransport::close() noexcept {
  closed_ = true;
  net::error_code ignored;
  resolver_.cancel();
  deadline_.cancel();
  socket_.close(ignored);
  if (stream_) stream_->close();
}

void StreamTransport::start_deadline(Milliseconds timeout) {
  deadline_.expires_after(timeout);
  deadline_.async_wait([this, alive = std::weak_ptr<char>(alive_)](net::error_code ec) {
    if (!ec && !alive.expired()) close();
  });
}

}  // namespace hongyan::client
