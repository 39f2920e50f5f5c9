// A blocking TCP client for tests that send bytes which no decent client would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/endpoint.h"

namespace hongyan::test {

// Everything waits at most 10 s where nothing else is said. Used by one thread.
class RawClient {
 public:
  static constexpr Milliseconds kPatience{10'000};

  // endpoint: an IPv4 address. receive_buffer: of the socket, in bytes; 0 leaves the system's.
  explicit RawClient(const Endpoint& endpoint, int receive_buffer = 0);
  // On 127.0.0.1.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0)
      : RawClient(Endpoint{"127.0.0.1", port}, receive_buffer) {}
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const noexcept { return fd_ >= 0; }
  // False when the peer has closed.
  bool send(std::string_view bytes);
  void shutdown_send();
  void close();

  // Until `end` has come (included in the result), or the connection ended, or the time is over.
  [[nodiscard]] std::string read_until(std::string_view end);
  // One HTTP response with its Content-Length body; head_only for answers to HEAD.
  [[nodiscard]] std::string read_response(bool head_only = false);
  // Everything until the peer closes; closed() tells whether it did.
  [[nodiscard]] std::string read_all();
  // Reads (and throws away) until the peer closes.
  [[nodiscard]] bool wait_closed(Milliseconds limit = kPatience);
  // Of the peer, also when it never let us in.
  [[nodiscard]] bool closed() const noexcept { return closed_; }

 protected:
  // The first bytes of the input, when so many have come in time.
  [[nodiscard]] bool fill(std::size_t size, SteadyTime deadline);
  [[nodiscard]] bool fill(std::size_t size) { return fill(size, SteadyClock::now() + kPatience); }
  [[nodiscard]] const std::string& input() const noexcept { return input_; }
  // Takes them from the input, which holds as many.
  std::string take(std::size_t size);

 private:
  // More bytes. False: the peer has closed, or the time is over.
  bool receive(SteadyTime deadline);

  int fd_ = -1;
  bool closed_ = false;
  std::string input_;  // received and not yet taken
};

}  // namespace hongyan::test
