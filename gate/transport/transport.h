// A client's byte stream, whatever carries it: TCP or TLS, with or without WebSocket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/net/asio.h"
#include "common/protocol/transport_kind.h"

namespace hongyan::gate {

using protocol::TransportKind;

// Owned by its session, lives on the session's loop. At most one read() and one write() run at a time.
// read() and write() refer to the transport: who awaits them keeps it alive.
class Transport {
 public:
  virtual ~Transport() = default;

  // Waits for bytes of packets. They stay valid until the reader next suspends or reads (the buffer may be
  // shared by all sessions of the loop). An error ends the stream; kBadRequest: by a fault of the client,
  // which finish() tells it, and what is read further on is thrown away.
  [[nodiscard]] virtual net::Awaitable<Result<std::string_view>> read() = 0;

  // Writes what can be written without waiting; returns how many bytes. Not while write() runs. The buffers
  // hold whole packets, or the rest of what an earlier call left; a packet's header lies in one buffer. They
  // are changed.
  [[nodiscard]] virtual std::size_t write_now(std::span<net::asio::const_buffer> buffers) = 0;
  // Writes all of it. What the buffers point to stays unchanged until it ends.
  [[nodiscard]] virtual net::Awaitable<Status> write(std::vector<net::asio::const_buffer> buffers) = 0;

  // The largest body that the client may send from now on. A transport that sees packets refuses larger ones
  // itself.
  virtual void set_max_body_bytes(std::size_t limit) { static_cast<void>(limit); }

  // A transport that can says now and then that it lives, so that proxies on the way do not end a connection on
  // which nothing is said. Returns when to be asked again; nothing: the peer does not answer any more.
  [[nodiscard]] virtual std::optional<SteadyTime> keep_alive(SteadyTime now) {
    static_cast<void>(now);
    return SteadyTime::max();
  }

  // The peer sends nothing more; known before what it sent has been read.
  [[nodiscard]] virtual bool peer_has_finished() { return false; }

  // Nothing more will be written: tells the peer, so that it reads the end; reading goes on.
  virtual void finish() = 0;
  // Ends read() and write() with an error. Harmless twice.
  virtual void close() = 0;
};

// Unspecified when the peer is gone.
[[nodiscard]] net::asio::ip::address remote_of(const net::TcpSocket& socket);
// Takes `bytes` off the front; returns how many buffers are used up.
[[nodiscard]] std::size_t consume(std::span<net::asio::const_buffer> buffers, std::size_t bytes) noexcept;

}  // namespace hongyan::gate
