#include "tests/support/ws_client.h"

namespace hongyan::test {

namespace {

// The last `bytes` bytes of a number, in network order.
void append_number(std::string& out, std::size_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

std::size_t number_of(std::string_view bytes) {
  std::size_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

int WsFrame::close_code() const {
  return payload.size() < 2 ? 0 : static_cast<int>(number_of(std::string_view(payload).substr(0, 2)));
}

std::string WsFrame::encode() const {
  const std::string key = "\x12\x34\xA6\x78";
  const std::size_t size = payload.size();
  const std::size_t mask_bit = masked ? 0x80 : 0;
  std::string out(1, static_cast<char>(first));
  if (size <= 125) {
    append_number(out, mask_bit | size, 1);
  } else if (size <= 0xFFFF) {
    append_number(out, mask_bit | 126, 1);
    append_number(out, size, 2);
  } else {
    append_number(out, mask_bit | 127, 1);
    append_number(out, size, 8);
  }
  if (!masked) return out + payload;
  out += key;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ key[i % 4]);
  return out;
}

std::string WsClient::request(std::string_view more_fields) {
  return "GET / HTTP/1.1\r\nHost: gate\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(more_fields) + "\r\n";
}

std::string WsClient::auth(const std::string& uid) {
  return packet(client::COMMAND_AUTH, 1, demo_auth(uid, client::DEVICE_TYPE_WEB).SerializeAsString());
}

int WsClient::read_status() {
  const std::string head = read_until("\r\n\r\n");
  return head.size() > 12 ? std::stoi(head.substr(9, 3)) : 0;
}

bool WsClient::log_in(const std::string& uid) {
  if (!open() || !send({.payload = auth(uid)})) return false;
  const auto answer = read_frame();
  return answer && answer->payload.size() >= net::kHeaderSize &&
         net::read_header(answer->payload.data()).cmd_id == client::COMMAND_AUTH;
}

std::optional<WsFrame> WsClient::read_frame() {
  std::size_t head = 2;
  if (!fill(head)) return std::nullopt;
  std::size_t size = input()[1] & 0x7F;
  if (size >= 126) {
    const std::size_t width = size == 126 ? 2 : 8;
    head += width;
    if (!fill(head)) return std::nullopt;
    size = number_of(std::string_view(input()).substr(2, width));
  }
  if (!fill(head + size)) return std::nullopt;
  const std::string begin = take(head);
  return WsFrame{
      .first = static_cast<std::uint8_t>(begin[0]), .payload = take(size), .masked = (begin[1] & 0x80) != 0};
}

int WsClient::read_close_code() {
  while (const auto frame = read_frame()) {
    if (frame->opcode() == gate::WsOpcode::kClose) return frame->close_code();
  }
  return closed() ? 0 : -1;
}

}  // namespace hongyan::test
