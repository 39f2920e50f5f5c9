// The bytes of a connected socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/net/asio.h"

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
// Lives on its loop.
class Stream {
 public:
  explicit Stream(TcpSocket socket);

  [[nodiscard]] StreamIo read_some(asio::mutable_buffer into);
  // At most kMostBuffers of them count. After kBlocked the next call begins with the same bytes.
  static constexpr std::size_t kMostBuffers = 64;
  [[nodiscard]] StreamIo write_some(std::span<const asio::const_buffer> buffers);

  // What to wait for before a read or a write that blocked.
  [[nodiscard]] TcpSocket::wait_type read_wait() const noexcept { return TcpSocket::wait_read; }
  [[nodiscard]] TcpSocket::wait_type write_wait() const noexcept { return TcpSocket::wait_write; }
  [[nodiscard]] TcpSocket& socket() noexcept { return socket_; }

  // Nothing more will be written; reading goes on.
  void finish();
  // Ends what is being awaited with an error. Harmless twice.
  void close();
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }

 private:
  TcpSocket socket_;
};

}  // namespace hongyan::net
