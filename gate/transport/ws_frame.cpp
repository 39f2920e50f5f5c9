#include "gate/transport/ws_frame.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hongyan::gate {

namespace {

constexpr std::size_t kMostControl = 125;
constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;

std::uint8_t byte_of(char c) noexcept { return static_cast<std::uint8_t>(c); }

bool is_control(WsOpcode opcode) noexcept { return static_cast<std::uint8_t>(opcode) >= 8; }

// to: at or before `from`. key_at: of the first byte.
void unmask(const char* from, char* to, std::size_t count, std::array<char, 4> key,
            std::size_t key_at) noexcept {
  std::array<char, 8> wide;
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = key[(key_at + i) % 4];
  std::uint64_t mask = 0;
  std::memcpy(&mask, wide.data(), sizeof(mask));
  std::size_t i = 0;
  for (; i + sizeof(mask) <= count; i += sizeof(mask)) {
    std::uint64_t word = 0;
    std::memcpy(&word, from + i, sizeof(word));
    word ^= mask;
    std::memcpy(to + i, &word, sizeof(word));
  }
  for (; i < count; ++i) to[i] = static_cast<char>(from[i] ^ wide[i % 4]);
}

// What a client may say when it closes (RFC 6455, 7.4).
bool is_close_code(std::uint16_t code) noexcept {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

std::size_t write_ws_head(WsOpcode opcode, std::size_t payload, char* out) noexcept {
  out[0] = static_cast<char>(kFinal | static_cast<std::uint8_t>(opcode));
  if (payload <= kMostControl) {
    out[1] = static_cast<char>(payload);
    return 2;
  }
  const std::size_t width = payload <= 0xFFFF ? 2 : 8;
  out[1] = width == 2 ? 126 : 127;
  for (std::size_t i = 0; i < width; ++i) out[2 + i] = static_cast<char>(payload >> (8 * (width - 1 - i)));
  return 2 + width;
}

std::string ws_control_frame(WsOpcode opcode, std::string_view payload) {
  std::array<char, kMostWsHead> head;
  const std::size_t size = write_ws_head(opcode, payload.size(), head.data());
  return std::string(head.data(), size).append(payload);
}

std::string ws_close_frame(WsCloseCode code) {
  if (code == WsCloseCode::kNoCode) return ws_control_frame(WsOpcode::kClose, {});
  const auto number = static_cast<std::uint16_t>(code);
  const std::array<char, 2> payload = {static_cast<char>(number >> 8), static_cast<char>(number)};
  return ws_control_frame(WsOpcode::kClose, {payload.data(), payload.size()});
}

void WsDecoder::fail(WsCloseCode code, std::string_view reason) noexcept {
  if (ended_) return;
  ended_ = code;
  reason_ = reason;
}

std::optional<std::string> WsDecoder::take_ping() { return std::exchange(ping_, std::nullopt); }

std::string_view WsDecoder::decode(std::span<char> bytes) {
  char* const first = bytes.data();
  char* out = first;
  while (!bytes.empty() && !ended_) {
    if (!in_frame_) {
      if (!take_head(bytes)) break;
      begin_frame();
      if (in_frame_ && left_ == 0 && !ended_) end_frame();
      continue;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    unmask(bytes.data(), out, count, key_, key_at_);
    key_at_ = static_cast<std::uint8_t>((key_at_ + count) % 4);
    left_ -= count;
    bytes = bytes.subspan(count);
    if (is_control(opcode_)) {
      control_.append(out, count);
    } else {
      out += take_packet_bytes({out, count});
    }
    if (left_ == 0 && !ended_) end_frame();
  }
  return {first, static_cast<std::size_t>(out - first)};
}

bool WsDecoder::take_head(std::span<char>& bytes) {
  std::size_t wanted = 2;
  for (;;) {
    while (head_size_ < wanted && !bytes.empty()) {
      head_[head_size_++] = bytes.front();
      bytes = bytes.subspan(1);
    }
    if (head_size_ < wanted) return false;
    if (wanted > 2) return true;
    if ((byte_of(head_[1]) & kMasked) == 0) {
      fail(WsCloseCode::kProtocolError, "unmasked frame");
      return false;
    }
    const std::uint8_t length = byte_of(head_[1]) & 0x7F;
    wanted = 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + key_.size();
  }
}

void WsDecoder::begin_frame() {
  const std::uint8_t first = byte_of(head_[0]);
  const std::size_t length_size = head_size_ - 2 - key_.size();
  left_ = length_size == 0 ? byte_of(head_[1]) & 0x7F : 0;
  for (std::size_t i = 0; i < length_size; ++i) left_ = left_ << 8 | byte_of(head_[2 + i]);
  std::memcpy(key_.data(), head_.data() + 2 + length_size, key_.size());
  key_at_ = 0;
  head_size_ = 0;
  in_frame_ = true;
  final_ = (first & kFinal) != 0;
  opcode_ = static_cast<WsOpcode>(first & 0x0F);
  if ((first & kReserved) != 0) return fail(WsCloseCode::kProtocolError, "reserved bits");
  switch (opcode_) {
    case WsOpcode::kClose:
    case WsOpcode::kPing:
    case WsOpcode::kPong:
      if (!final_) return fail(WsCloseCode::kProtocolError, "fragmented control frame");
      if (left_ > kMostControl) return fail(WsCloseCode::kProtocolError, "long control frame");
      return control_.clear();
    case WsOpcode::kText:
      return fail(WsCloseCode::kNotBinary, "text message");
    case WsOpcode::kBinary:
      if (fragments_ > 0) return fail(WsCloseCode::kProtocolError, "message within a message");
      break;
    case WsOpcode::kContinuation:
      if (fragments_ == 0) return fail(WsCloseCode::kProtocolError, "continuation of nothing");
      break;
    default:
      return fail(WsCloseCode::kProtocolError, "unknown opcode");
  }
  if (++fragments_ > kMostFragments) return fail(WsCloseCode::kPolicy, "too many fragments");
  if (left_ > net::kMaxHeaderSize + max_body_bytes_ ||
      message_bytes_ + left_ > net::kMaxHeaderSize + max_body_bytes_) {
    fail(WsCloseCode::kTooBig, "message too big");
  }
}

void WsDecoder::end_frame() {
  in_frame_ = false;
  if (is_control(opcode_)) return end_control();
  if (final_) end_message();
}

void WsDecoder::end_control() {
  ++controls_;
  if (opcode_ == WsOpcode::kPing) ping_ = control_;
  if (opcode_ == WsOpcode::kClose) {
    const bool has_code = control_.size() >= 2;
    const auto code = has_code ? static_cast<std::uint16_t>(byte_of(control_[0]) << 8 | byte_of(control_[1]))
                               : static_cast<std::uint16_t>(WsCloseCode::kNoCode);
    if (control_.size() == 1 || (has_code && !is_close_code(code))) {
      return fail(WsCloseCode::kProtocolError, "bad close frame");
    }
    closed_by_peer_ = true;
    fail(static_cast<WsCloseCode>(code), "closed by peer");
  }
  control_ = std::string();
}

std::size_t WsDecoder::take_packet_bytes(std::string_view piece) {
  if (message_bytes_ < packet_header_.size()) {
    const std::size_t count =
        std::min(piece.size(), packet_header_.size() - static_cast<std::size_t>(message_bytes_));
    std::memcpy(packet_header_.data() + message_bytes_, piece.data(), count);
  }
  const std::uint64_t before = message_bytes_;
  message_bytes_ += piece.size();
  if (packet_bytes_ == 0 && message_bytes_ >= packet_header_.size()) {
    const auto header = net::read_header(packet_header_.data());
    if (header.header_length < net::kHeaderSize || header.header_length > net::kMaxHeaderSize) {
      fail(WsCloseCode::kProtocolError, "packet header length out of range");
      return 0;
    }
    packet_bytes_ = std::uint64_t{header.header_length} + header.body_length;
    if (header.body_length > max_body_bytes_) {
      fail(WsCloseCode::kTooBig, "packet body too large");
      return 0;
    }
  }
  if (packet_bytes_ == 0 || message_bytes_ <= packet_bytes_) return piece.size();
  fail(WsCloseCode::kProtocolError, "message longer than its packet");
  return static_cast<std::size_t>(packet_bytes_ > before ? packet_bytes_ - before : 0);
}

void WsDecoder::end_message() {
  if (packet_bytes_ == 0 || message_bytes_ != packet_bytes_) {
    return fail(WsCloseCode::kProtocolError, "message shorter than its packet");
  }
  message_bytes_ = 0;
  packet_bytes_ = 0;
  fragments_ = 0;
}

}  // namespace hongyan::gate
