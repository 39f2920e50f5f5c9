// The bytes of a connected socket, plain or through TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/net/asio.h"
#include "common/net/tls.h"

namespace hongyan::net {

// What one attempt to read or write came to.
struct StreamIo {
  enum class Outcome : std::uint8_t {
    kDone,     // bytes were moved, at least one
    kBlocked,  // nothing now: wait, then try again
    kClosed,   // reading: the peer has ended it
    kFailed,
  };
  Outcome outcome = Outcome::kFailed;
  std::size_t bytes = 0;
};

// Non-blocking; waiting is the owner's: co_await stream.socket().async_wait(stream.read_wait(), await(ec)).
// TLS's handshake happens within the first reads and writes. Lives on its loop.
class Stream {
 public:
  explicit Stream(TcpSocket socket);
  // Of a server, with TLS.
  Stream(TcpSocket socket, const TlsContext& tls);
  // Of a client, with TLS; as TlsSession's.
  Stream(TcpSocket socket, const TlsContext& tls, const std::string& host, TlsResumption* resumption);

  // From now on with TLS, as a server; of a plain stream.
  void secure(const TlsContext& tls);
  // TLS: as far as it goes without waiting; kDone when it is over. Reading and writing do it too.
  [[nodiscard]] StreamIo handshake();
  [[nodiscard]] StreamIo read_some(asio::mutable_buffer into);
  // What a plain stream's next read begins with.
  [[nodiscard]] StreamIo peek(asio::mutable_buffer into);
  // At most kMostBuffers of them count. After kBlocked the next call begins with the same bytes.
  static constexpr std::size_t kMostBuffers = 64;
  [[nodiscard]] StreamIo write_some(std::span<const asio::const_buffer> buffers);

  // What to wait for before a read or a write that blocked.
  [[nodiscard]] TcpSocket::wait_type read_wait() const noexcept {
    return tls_ && tls_->read_wants_write ? TcpSocket::wait_write : TcpSocket::wait_read;
  }
  [[nodiscard]] TcpSocket::wait_type write_wait() const noexcept {
    return tls_ && tls_->write_wants_read ? TcpSocket::wait_read : TcpSocket::wait_write;
  }
  // A read may succeed without waiting: wait only once one has blocked.
  [[nodiscard]] bool buffered() const noexcept { return tls_ && tls_->session.buffered(); }
  // After kFailed, for people.
  [[nodiscard]] std::string failure() const { return tls_ ? tls_->session.failure() : "connection lost"; }
  [[nodiscard]] TcpSocket& socket() noexcept { return socket_; }

  // The peer sends nothing more, even if some of what it sent has not been read yet.
  [[nodiscard]] bool peer_has_finished();
  // Of what is written, so much at most waits in the system unsent; more is not taken. 0: no limit.
  void limit_unsent(std::size_t bytes);
  // Nothing more will be written; reading goes on.
  void finish();
  // Ends what is being awaited with an error. Harmless twice.
  void close();
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }

 private:
  struct Tls {
    TlsSession session;
    bool read_wants_write = false;
    bool write_wants_read = false;
  };
  [[nodiscard]] StreamIo receive(asio::mutable_buffer into, int flags);
  [[nodiscard]] StreamIo write_tls(std::span<const asio::const_buffer> buffers);

  TcpSocket socket_;
  std::unique_ptr<Tls> tls_;  // null: plain
};

}  // namespace hongyan::net
