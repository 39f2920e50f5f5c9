// Plain TCP.
#pragma once

#include <memory>
#include <string>

#include "gate/transport/transport.h"

namespace hongyan::gate {

// One a worker, lent to all its TcpTransports: an idle session holds no read buffer.
struct ReadBuffer {
  static constexpr std::size_t kSize = 32 << 10;
  std::unique_ptr<char[]> bytes = std::make_unique<char[]>(kSize);
};

class TcpTransport final : public Transport {
 public:
  // The buffer outlives the transport.
  TcpTransport(net::TcpSocket socket, ReadBuffer& buffer);

  [[nodiscard]] net::Awaitable<Result<std::string_view>> read() override;
  [[nodiscard]] std::size_t write_now(std::span<const net::asio::const_buffer> buffers) override;
  [[nodiscard]] net::Awaitable<Status> write(std::vector<net::asio::const_buffer> buffers) override;
  void finish() override;
  void close() override;
  [[nodiscard]] net::asio::ip::address remote_address() const override { return remote_; }

 private:
  net::TcpSocket socket_;
  ReadBuffer& buffer_;
  net::asio::ip::address remote_;
};

}  // namespace hongyan::gate
