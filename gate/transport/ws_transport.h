// Packets in WebSocket messages, over TCP or TLS.
#pragma once

#include <string>

#include "common/base/token_bucket.h"
#include "gate/transport/stream_transport.h"
#include "gate/transport/ws_frame.h"
#include "gate/transport/ws_handshake.h"
#include "gate/transport/ws_output.h"

namespace hongyan::gate {

// The session sees the stream of packets that it would see on TCP. read() does the opening handshake, answers
// pings and reports what WebSocket forbids; the close frame goes out with finish(). Pings and pongs are no
// sign of life of the client: a browser answers for a page that does nothing any more. But where two pings bring
// nothing at all, there is nobody.
class WsTransport final : public Transport {
 public:
  // Buffer and options outlive the transport.
  WsTransport(net::Stream stream, ReadBuffer& buffer, const WsOptions& options);

  [[nodiscard]] net::Awaitable<Result<std::string_view>> read() override;
  [[nodiscard]] std::size_t write_now(std::span<net::asio::const_buffer> buffers) override;
  [[nodiscard]] net::Awaitable<Status> write(std::vector<net::asio::const_buffer> buffers) override;
  void set_max_body_bytes(std::size_t limit) override { decoder_.set_max_body_bytes(limit); }
  [[nodiscard]] std::optional<SteadyTime> keep_alive(SteadyTime now) override;
  void finish() override;
  void close() override { stream_.close(); }
  [[nodiscard]] bool peer_has_finished() override { return stream_.peer_has_finished(); }

 private:
  enum class State : std::uint8_t { kHandshake, kOpen, kRefused };

  // The packets' bytes among those read.
  [[nodiscard]] std::string_view take(std::span<char> bytes);
  // Returns what follows the request in `bytes`; empty while it is not whole.
  [[nodiscard]] std::span<char> take_head(std::span<char> bytes);
  void answer(const WsAnswer& answer);
  void flush();

  net::Stream stream_;
  ReadBuffer& buffer_;
  const WsOptions& options_;
  State state_ = State::kHandshake;
  SteadyTime pinged_at_ = SteadyClock::now();
  TokenBucket controls_{SteadyClock::now()};
  std::uint8_t unheard_pings_ = 0;  // since anything came
  bool waiting_ = false;            // read() waits: what comes is seen
  bool writing_ = false;            // write() runs
  bool reported_ = false;           // read() has said what ended it
  std::string head_;                // of the opening request, while it is incomplete
  std::string_view refused_;
  bool probe_ = false;  // refused, but for no fault
  WsDecoder decoder_;
  WsOutput output_;
};

}  // namespace hongyan::gate
