// A blocking TCP client for tests that send bytes which no decent client would.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hongyan::test {

// Connects to 127.0.0.1. Everything waits at most 10 s. Used by one thread.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const noexcept { return fd_ >= 0; }
  // False when the peer has closed.
  bool send(std::string_view bytes);
  void shutdown_send();

  // Until `end` has come (included in the result), or the connection ended, or the time is over.
  [[nodiscard]] std::string read_until(std::string_view end);
  // One HTTP response with its Content-Length body; head_only for answers to HEAD.
  [[nodiscard]] std::string read_response(bool head_only = false);
  // Everything until the peer closes; closed() tells whether it did.
  [[nodiscard]] std::string read_all();
  [[nodiscard]] bool closed() const noexcept { return closed_; }

 private:
  bool fill();

  int fd_ = -1;
  bool closed_ = false;
  std::string buffer_;
};

}  // namespace hongyan::test
