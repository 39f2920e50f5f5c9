// One connection to a gate: TCP or TLS, with or without WebSocket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/cpp/types.h"
#include "common/net/asio.h"
#include "common/protocol/transport_kind.h"

namespace hongyan::client {

// Lives on one loop; its coroutines are awaited there, at most one connect() or read_some() and one write()
// at a time, and end before it is destroyed (who runs them holds it). After an error it is only good for
// close().
class Transport {
 public:
  virtual ~Transport() = default;

  // Errors: kUnavailable. Ends within the time-out, resolving of names included.
  [[nodiscard]] virtual net::Awaitable<Status> connect(Endpoint endpoint, Milliseconds timeout) = 0;
  // At least one byte, of packets in their order; packet borders are not kept.
  [[nodiscard]] virtual net::Awaitable<Result<std::size_t>> read_some(net::asio::mutable_buffer into) = 0;
  // bytes: whole packets; written when it returns without error. They outlive the call.
  [[nodiscard]] virtual net::Awaitable<Status> write(std::string_view bytes) = 0;
  // What is being awaited ends with an error. Harmless twice.
  virtual void close() noexcept = 0;
};

using TransportFactory = std::function<std::unique_ptr<Transport>(net::Executor)>;

using protocol::TransportKind;

// Any thread may call it, and share it among clients. ca_file: PEM, whom TLS trusts; "": whom the system
// trusts. With TLS the gate's certificate must be for the host of its endpoint, and sessions are resumed.
// Errors: kBadRequest, of the file.
[[nodiscard]] Result<TransportFactory> make_transports(TransportKind kind, const std::string& ca_file = "");

[[nodiscard]] std::unique_ptr<Transport> make_tcp_transport(net::Executor executor);

}  // namespace hongyan::client
