#include "gate/transport/tcp_transport.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace hongyan::gate {

namespace {

constexpr std::size_t kBuffersAtOnce = 64;

// Bytes written; -1 with errno.
ssize_t send_some(int descriptor, std::span<const net::asio::const_buffer> buffers) {
  std::array<iovec, kBuffersAtOnce> parts;
  const std::size_t count = std::min(buffers.size(), parts.size());
  for (std::size_t i = 0; i < count; ++i) {
    parts[i] = {.iov_base = const_cast<void*>(buffers[i].data()), .iov_len = buffers[i].size()};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace

TcpTransport::TcpTransport(net::TcpSocket socket, ReadBuffer& buffer)
    : socket_(std::move(socket)), buffer_(buffer) {
  net::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(net::Tcp::no_delay(true), ignored);
  const auto remote = socket_.remote_endpoint(ignored);
  if (!ignored) remote_ = remote.address();
}

net::Awaitable<Result<std::string_view>> TcpTransport::read() {
  for (;;) {
    net::error_code ec;
    co_await socket_.async_wait(net::TcpSocket::wait_read, net::await(ec));
    std::size_t count = 0;
    if (!ec) count = socket_.read_some(net::asio::buffer(buffer_.bytes.get(), ReadBuffer::kSize), ec);
    if (ec == net::asio::error::would_block || ec == net::asio::error::try_again) continue;
    if (ec == net::asio::error::eof) co_return fail(Code::kUnavailable, "closed by peer");
    if (ec) co_return fail(Code::kUnavailable, ec.message());
    co_return std::string_view(buffer_.bytes.get(), count);
  }
}

std::size_t TcpTransport::write_now(std::span<const net::asio::const_buffer> buffers) {
  if (!socket_.is_open()) return 0;
  std::size_t total = 0;
  while (!buffers.empty()) {
    const ssize_t sent = send_some(socket_.native_handle(), buffers);
    if (sent < 0) break;  // would block, or broken: then write() says so
    const auto chunk = buffers.first(std::min(buffers.size(), kBuffersAtOnce));
    std::size_t offered = 0;
    for (const auto& buffer : chunk) offered += buffer.size();
    total += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) < offered) break;
    buffers = buffers.subspan(chunk.size());
  }
  return total;
}

net::Awaitable<Status> TcpTransport::write(std::vector<net::asio::const_buffer> buffers) {
  std::size_t first = 0;
  while (first < buffers.size()) {
    net::error_code ec;
    co_await socket_.async_wait(net::TcpSocket::wait_write, net::await(ec));
    if (ec) co_return fail(Code::kUnavailable, ec.message());
    if (!socket_.is_open()) co_return fail(Code::kUnavailable, "closed");
    const ssize_t sent = send_some(socket_.native_handle(), std::span(buffers).subspan(first));
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) continue;
    if (sent < 0) co_return fail(Code::kUnavailable, "write failed");
    auto left = static_cast<std::size_t>(sent);
    while (first < buffers.size() && left >= buffers[first].size()) left -= buffers[first++].size();
    if (left > 0) buffers[first] += left;
  }
  co_return Status{};
}

void TcpTransport::finish() {
  net::error_code ignored;
  socket_.shutdown(net::Tcp::socket::shutdown_send, ignored);
}

void TcpTransport::close() {
  net::error_code ignored;
  socket_.close(ignored);
}

}  // namespace hongyan::gate
