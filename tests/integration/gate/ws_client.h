// A WebSocket client that sends any bytes, right or wrong, blocking with a time limit: for tests of the gate.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/net/packet.h"
#include "gate/transport/ws_frame.h"
#include "proto/client.pb.h"

namespace hongyan::test {

struct WsFrame {
  std::uint8_t first = 0x82;  // final, binary
  std::string payload;
  bool masked = true;

  [[nodiscard]] gate::WsOpcode opcode() const { return static_cast<gate::WsOpcode>(first & 0x0F); }
  // Of a close frame; 0 without one.
  [[nodiscard]] int close_code() const {
    if (payload.size() < 2) return 0;
    return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  }
  [[nodiscard]] std::string encode() const {
    const std::string key = "\x12\x34\xA6\x78";
    std::string out;
    out += static_cast<char>(first);
    const std::size_t size = payload.size();
    const char mask_bit = masked ? '\x80' : '\0';
    if (size <= 125) {
      out += static_cast<char>(mask_bit | static_cast<char>(size));
    } else if (size <= 0xFFFF) {
      out += static_cast<char>(mask_bit | 126);
      for (int shift = 8; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
    } else {
      out += static_cast<char>(mask_bit | 127);
      for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
    }
    if (!masked) return out + payload;
    out += key;
    for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ key[i % 4]);
    return out;
  }
};

class WsClient {
 public:
  explicit WsClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) closed_ = true;
  }
  ~WsClient() { ::close(socket_); }
  WsClient(const WsClient&) = delete;
  WsClient& operator=(const WsClient&) = delete;

  bool send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool send(const WsFrame& frame) { return send_bytes(frame.encode()); }

  [[nodiscard]] static std::string request(std::string_view more_fields = "") {
    return "GET / HTTP/1.1\r\nHost: gate\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           std::string(more_fields) + "\r\n";
  }
  // The status of the answer to what was sent; 0: none came.
  [[nodiscard]] int read_status() {
    const std::string head = read_until("\r\n\r\n");
    return head.size() > 12 ? std::stoi(head.substr(9, 3)) : 0;
  }
  [[nodiscard]] bool open() { return send_bytes(request()) && read_status() == 101; }

  [[nodiscard]] std::optional<WsFrame> read_frame() {
    if (!fill(2)) return std::nullopt;
    std::size_t size = input_[1] & 0x7F;
    std::size_t head = 2;
    if (size >= 126) {
      const std::size_t width = size == 126 ? 2 : 8;
      head += width;
      if (!fill(head)) return std::nullopt;
      size = 0;
      for (std::size_t i = 0; i < width; ++i) size = size << 8 | static_cast<unsigned char>(input_[2 + i]);
    }
    if (!fill(head + size)) return std::nullopt;
    WsFrame frame{.first = static_cast<std::uint8_t>(input_[0]),
                  .payload = input_.substr(head, size),
                  .masked = (input_[1] & 0x80) != 0};
    input_.erase(0, head + size);
    return frame;
  }
  // The code of the close frame, skipping what comes before it; 0: the server closed without one, -1: it did
  // not.
  [[nodiscard]] int read_close_code() {
    while (const auto frame = read_frame()) {
      if (frame->opcode() == gate::WsOpcode::kClose) return frame->close_code();
    }
    return closed_ ? 0 : -1;
  }
  [[nodiscard]] bool wait_closed() {
    while (receive()) input_.clear();
    return closed_;
  }

  bool send_packet(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body) {
    return send({.payload = packet(cmd_id, seq, body)});
  }
  [[nodiscard]] static std::string packet(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body) {
    std::string bytes;
    net::append_packet(bytes, 200, cmd_id, seq, body);
    return bytes;
  }
  [[nodiscard]] static std::string auth(const std::string& uid) {
    client::AuthReq auth;
    auth.set_token("token");
    auth.set_uid(uid);
    auth.set_app_id("demo");
    auth.set_device_type(client::DEVICE_TYPE_WEB);
    return packet(client::COMMAND_AUTH, 1, auth.SerializeAsString());
  }
  // Opens and logs in.
  [[nodiscard]] bool log_in(const std::string& uid) {
    if (!open() || !send({.payload = auth(uid)})) return false;
    const auto answer = read_frame();
    return answer && answer->payload.size() >= net::kHeaderSize &&
           net::read_header(answer->payload.data()).cmd_id == client::COMMAND_AUTH;
  }

 private:
  [[nodiscard]] std::string read_until(std::string_view end) {
    while (input_.find(end) == std::string::npos) {
      if (!receive()) return {};
    }
    const std::size_t size = input_.find(end) + end.size();
    std::string text = input_.substr(0, size);
    input_.erase(0, size);
    return text;
  }
  [[nodiscard]] bool fill(std::size_t size) {
    while (input_.size() < size) {
      if (!receive()) return false;
    }
    return true;
  }
  bool receive() {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (closed_ || ::poll(&waiting, 1, 10'000) <= 0) return false;
    char buffer[65536];
    const ssize_t count = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (count <= 0) {
      closed_ = true;
      return false;
    }
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  bool closed_ = false;
  std::string input_;
};

}  // namespace hongyan::test
