// Packets as they are, one after the other.
#pragma once

#include <memory>

#include "common/net/stream.h"
#include "gate/transport/transport.h"

namespace hongyan::gate {

// One a loop, lent to all its transports: an idle session holds no read buffer.
struct ReadBuffer {
  static constexpr std::size_t kSize = 32 << 10;
  std::unique_ptr<char[]> bytes = std::make_unique<char[]>(kSize);

  [[nodiscard]] net::asio::mutable_buffer whole() const noexcept { return {bytes.get(), kSize}; }
};

class StreamTransport final : public Transport {
 public:
  // The buffer outlives the transport.
  StreamTransport(net::Stream stream, ReadBuffer& buffer);

  [[nodiscard]] net::Awaitable<Result<std::string_view>> read() override;
  [[nodiscard]] std::size_t write_now(std::span<net::asio::const_buffer> buffers) override;
  [[nodiscard]] net::Awaitable<Status> write(std::vector<net::asio::const_buffer> buffers) override;
  void finish() override { stream_.finish(); }
  void close() override { stream_.close(); }
  [[nodiscard]] bool peer_has_finished() override { return stream_.peer_has_finished(); }

 private:
  net::Stream stream_;
  ReadBuffer& buffer_;
};

}  // namespace hongyan::gate
