// Packets over TCP or TLS. Internal to the library.
#pragma once

#include <memory>
#include <optional>

#include "client/cpp/transport.h"
#include "common/net/stream.h"

namespace hongyan::client {

// What the TLS connections of one factory share. Any thread.
struct TlsTrust {
  std::shared_ptr<const net::TlsContext> context;
  net::TlsResumption resumption;
};

class StreamTransport : public Transport {
 public:
  // tls: null for plain TCP.
  StreamTransport(net::Executor executor, std::shared_ptr<TlsTrust> tls);
  ~StreamTransport() override = default;

  net::Awaitable<Status> connect(Endpoint endpoint, Milliseconds timeout) override;
  net::Awaitable<Result<std::size_t>> read_some(net::asio::mutable_buffer into) override;
  net::Awaitable<Status> write(std::string_view bytes) override;
  void close() noexcept override;

 protected:
  // What follows the connection, within the same time-out. Errors: kUnavailable.
  [[nodiscard]] virtual net::Awaitable<Status> greet(Endpoint endpoint);
  // After connect() has made it.
  [[nodiscard]] net::Stream& stream() noexcept { return *stream_; }

 private:
  void start_deadline(Milliseconds timeout);
  [[nodiscard]] net::Awaitable<Status> establish(Endpoint endpoint);
  [[nodiscard]] net::Awaitable<Status> connect_socket(Endpoint endpoint);
  [[nodiscard]] net::Awaitable<Status> secure();

  const std::shared_ptr<TlsTrust> tls_;
  net::TcpSocket socket_;  // until it becomes the stream
  std::optional<net::Stream> stream_;
  net::TcpResolver resolver_;
  net::Timer deadline_;
  bool closed_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

// Packets in WebSocket messages, over TCP or TLS.
[[nodiscard]] std::unique_ptr<Transport> make_ws_transport(net::Executor executor,
                                                           std::shared_ptr<TlsTrust> tls);

}  // namespace hongyan::client
