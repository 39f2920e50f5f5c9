#include "gate/transport/transport.h"

namespace hongyan::gate {

net::asio::ip::address remote_of(const net::TcpSocket& socket) {
  net::error_code ec;
  const auto remote = socket.remote_endpoint(ec);
  return ec ? net::asio::ip::address() : remote.address();
}

std::size_t consume(std::span<net::asio::const_buffer> buffers, std::size_t bytes) noexcept {
  std::size_t used = 0;
  while (used < buffers.size() && bytes >= buffers[used].size()) bytes -= buffers[used++].size();
  if (bytes > 0 && used < buffers.size()) buffers[used] += bytes;
  return used;
}

}  // namespace hongyan::gate
