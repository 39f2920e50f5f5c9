#include "common/net/stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace hongyan::net {

namespace {

StreamIo failed_call() {
  const bool blocked = errno == EAGAIN || errno == EWOULDBLOCK;
  return {.outcome = blocked ? StreamIo::Outcome::kBlocked : StreamIo::Outcome::kFailed};
}

}  // namespace

Stream::Stream(TcpSocket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(Tcp::no_delay(true), ignored);
}

StreamIo Stream::read_some(asio::mutable_buffer into) {
  if (!socket_.is_open()) return {};
  ssize_t count = -1;
  do {
    count = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return failed_call();
  if (count == 0) return {.outcome = StreamIo::Outcome::kClosed};
  return {.outcome = StreamIo::Outcome::kDone, .bytes = static_cast<std::size_t>(count)};
}

StreamIo Stream::write_some(std::span<const asio::const_buffer> buffers) {
  if (!socket_.is_open()) return {};
  std::array<iovec, kMostBuffers> parts;
  const std::size_t count = std::min(buffers.size(), parts.size());
  for (std::size_t i = 0; i < count; ++i) {
    parts[i] = {.iov_base = const_cast<void*>(buffers[i].data()), .iov_len = buffers[i].size()};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return failed_call();
  return {.outcome = StreamIo::Outcome::kDone, .bytes = static_cast<std::size_t>(sent)};
}

void Stream::finish() {
  error_code ignored;
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

void Stream::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace hongyan::net
