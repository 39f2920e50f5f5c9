// WebSocket frames (RFC 6455), of a server: from bytes to packets and back, without I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/net/packet.h"

namespace hongyan::gate {

enum class WsOpcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

enum class WsCloseCode : std::uint16_t {
  kNormal = 1000,
  kProtocolError = 1002,
  kNotBinary = 1003,
  kNoCode = 1005,  // of a close frame without one; never sent
  kPolicy = 1008,
  kTooBig = 1009,
};

inline constexpr std::size_t kMostWsHead = 10;
// Writes the head of an unmasked, final frame; returns its size.
std::size_t write_ws_head(WsOpcode opcode, std::size_t payload, char* out) noexcept;
// A whole control frame; payload: at most 125 bytes.
[[nodiscard]] std::string ws_control_frame(WsOpcode opcode, std::string_view payload);
[[nodiscard]] std::string ws_close_frame(WsCloseCode code);

// Takes a client's frames apart: what is left are the packets, one after the other as on TCP. Every message
// must be binary and hold exactly one packet. Keeps no payload but a control frame's. Lives with its
// transport.
class WsDecoder {
 public:
  // More frames than that of one message are refused.
  static constexpr std::uint32_t kMostFragments = 1024;

  explicit WsDecoder(std::size_t max_body_bytes) noexcept : max_body_bytes_(max_body_bytes) {}
  void set_max_body_bytes(std::size_t limit) noexcept { max_body_bytes_ = limit; }

  // The bytes of packets among `bytes`, moved to their front. Nothing once ended().
  [[nodiscard]] std::string_view decode(std::span<char> bytes);

  // The close code to send: the peer's own when it closed, otherwise what it did wrong.
  [[nodiscard]] bool ended() const noexcept { return ended_.has_value(); }
  [[nodiscard]] WsCloseCode close_code() const noexcept { return ended_.value_or(WsCloseCode::kNormal); }
  // With ended(): by the peer's close frame, not for a fault.
  [[nodiscard]] bool closed_by_peer() const noexcept { return closed_by_peer_; }
  [[nodiscard]] std::string_view reason() const noexcept { return reason_; }

  // Ends it: what the peer does is allowed, but not so often.
  void refuse(std::string_view reason) noexcept { fail(WsCloseCode::kPolicy, reason); }
  // How many control frames have come since this was last asked.
  [[nodiscard]] std::uint32_t take_controls() noexcept { return std::exchange(controls_, 0); }
  // The payload of the last ping not yet asked for.
  [[nodiscard]] std::optional<std::string> take_ping();

 private:
  void fail(WsCloseCode code, std::string_view reason) noexcept;
  // Takes head bytes off `bytes`; true when the head is whole.
  bool take_head(std::span<char>& bytes);
  void begin_frame();
  void end_frame();
  void end_control();
  // Notes payload of a message; returns how many bytes belong to the packet.
  std::size_t take_packet_bytes(std::string_view piece);
  void end_message();

  std::size_t max_body_bytes_;
  std::uint64_t left_ = 0;  // payload of the frame yet to come
  std::uint64_t message_bytes_ = 0;
  std::uint64_t packet_bytes_ = 0;  // what the packet's header announces; 0: not whole yet
  std::uint32_t controls_ = 0;
  std::uint32_t fragments_ = 0;  // frames of the message so far; 0: between messages
  std::array<char, 4> key_{};
  std::array<char, 14> head_{};
  std::uint8_t head_size_ = 0;
  std::uint8_t key_at_ = 0;
  WsOpcode opcode_ = WsOpcode::kContinuation;
  bool in_frame_ = false;
  bool final_ = false;
  bool closed_by_peer_ = false;
  std::optional<WsCloseCode> ended_;
  std::array<char, net::kHeaderSize> packet_header_{};
  std::string_view reason_ = "";
  std::string control_;  // payload of a control frame
  std::optional<std::string> ping_;
};

}  // namespace hongyan::gate
