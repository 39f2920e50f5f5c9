#include "common/net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
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

StreamIo io_of(TlsSession::Io io) {
  switch (io.outcome) {
    case TlsSession::Outcome::kDone:
      return {.outcome = StreamIo::Outcome::kDone, .bytes = io.bytes};
    case TlsSession::Outcome::kWantRead:
    case TlsSession::Outcome::kWantWrite:
      return {.outcome = StreamIo::Outcome::kBlocked};
    case TlsSession::Outcome::kClosed:
      return {.outcome = StreamIo::Outcome::kClosed};
    case TlsSession::Outcome::kFailed:
      break;
  }
  return {};
}

}  // namespace

Stream::Stream(TcpSocket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(Tcp::no_delay(true), ignored);
}

Stream::Stream(TcpSocket socket, const TlsContext& tls) : Stream(std::move(socket)) { secure(tls); }

Stream::Stream(TcpSocket socket, const TlsContext& tls, const std::string& host, TlsResumption* resumption)
    : Stream(std::move(socket)) {
  tls_.reset(new Tls{.session = {tls, socket_.native_handle(), host, resumption}});
}

void Stream::secure(const TlsContext& tls) { tls_.reset(new Tls{.session = {tls, socket_.native_handle()}}); }

StreamIo Stream::handshake() {
  if (!socket_.is_open()) return {};
  if (!tls_) return {.outcome = StreamIo::Outcome::kDone};
  const auto io = tls_->session.handshake();
  tls_->read_wants_write = io.outcome == TlsSession::Outcome::kWantWrite;
  return io_of(io);
}

StreamIo Stream::read_some(asio::mutable_buffer into) {
  if (!socket_.is_open()) return {};
  if (tls_) {
    const auto io = tls_->session.read_some(into);
    tls_->read_wants_write = io.outcome == TlsSession::Outcome::kWantWrite;
    return io_of(io);
  }
  return receive(into, MSG_DONTWAIT);
}

StreamIo Stream::peek(asio::mutable_buffer into) {
  if (!socket_.is_open()) return {};
  return receive(into, MSG_DONTWAIT | MSG_PEEK);
}

StreamIo Stream::receive(asio::mutable_buffer into, int flags) {
  ssize_t count = -1;
  do {
    count = ::recv(socket_.native_handle(), into.data(), into.size(), flags);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return failed_call();
  if (count == 0) return {.outcome = StreamIo::Outcome::kClosed};
  return {.outcome = StreamIo::Outcome::kDone, .bytes = static_cast<std::size_t>(count)};
}

StreamIo Stream::write_some(std::span<const asio::const_buffer> buffers) {
  if (!socket_.is_open()) return {};
  if (tls_) return write_tls(buffers);
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

StreamIo Stream::write_tls(std::span<const asio::const_buffer> buffers) {
  // A record is encrypted from one piece of memory.
  thread_local std::array<char, TlsSession::kMostRecord> record;
  const std::size_t size = asio::buffer_copy(asio::buffer(record), buffers);
  const auto io = tls_->session.write_some(asio::buffer(record, size));
  tls_->write_wants_read = io.outcome == TlsSession::Outcome::kWantRead;
  return io_of(io);
}

bool Stream::peer_has_finished() {
  if (!socket_.is_open()) return true;
  pollfd asked{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&asked, 1, 0) == 1;
}

void Stream::limit_unsent(std::size_t bytes) {
  if (bytes == 0) return;
  const int most = static_cast<int>(bytes);
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

void Stream::finish() {
  if (tls_ && socket_.is_open()) tls_->session.finish();
  error_code ignored;
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

void Stream::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace hongyan::net
