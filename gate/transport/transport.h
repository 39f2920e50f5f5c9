// A client's byte stream, whatever carries it: TCP now; TLS and WebSocket are further implementations.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/net/asio.h"

namespace hongyan::gate {

// Owned by its session, lives on the session's loop. At most one read() and one write() run at a time.
// read() and write() refer to the transport: who awaits them keeps it alive.
class Transport {
 public:
  virtual ~Transport() = default;

  // Waits for bytes. They stay valid until the reader next suspends or reads (the buffer may be shared by all
  // sessions of the worker). An error ends the stream.
  [[nodiscard]] virtual net::Awaitable<Result<std::string_view>> read() = 0;

  // Writes what can be written without waiting; returns how many bytes. Not while write() runs.
  [[nodiscard]] virtual std::size_t write_now(std::span<const net::asio::const_buffer> buffers) {
    static_cast<void>(buffers);
    return 0;
  }
  // Writes all of it. What the buffers point to stays unchanged until it ends.
  [[nodiscard]] virtual net::Awaitable<Status> write(std::vector<net::asio::const_buffer> buffers) = 0;

  // Nothing more will be written: tells the peer, so that it reads the end; reading goes on.
  virtual void finish() = 0;
  // Ends read() and write() with an error. Harmless twice.
  virtual void close() = 0;

  [[nodiscard]] virtual net::asio::ip::address remote_address() const = 0;
};

}  // namespace hongyan::gate
