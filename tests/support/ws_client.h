// A WebSocket client that sends any bytes, right or wrong, blocking with a time limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gate/transport/ws_frame.h"
#include "tests/support/packet_client.h"

namespace hongyan::test {

struct WsFrame {
  std::uint8_t first = 0x82;  // final, binary
  std::string payload;
  bool masked = true;

  [[nodiscard]] gate::WsOpcode opcode() const { return static_cast<gate::WsOpcode>(first & 0x0F); }
  // Of a close frame; 0 without one.
  [[nodiscard]] int close_code() const;
  [[nodiscard]] std::string encode() const;
};

// One thread.
class WsClient : public RawClient {
 public:
  using RawClient::RawClient;
  using RawClient::send;

  bool send(const WsFrame& frame) { return send(frame.encode()); }
  bool send_packet(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body) {
    return send({.payload = packet(cmd_id, seq, body)});
  }

  [[nodiscard]] static std::string request(std::string_view more_fields = "");
  // The packet of an AUTH from a browser.
  [[nodiscard]] static std::string auth(const std::string& uid);
  // The status of the answer to what was sent; 0: none came.
  [[nodiscard]] int read_status();
  [[nodiscard]] bool open() { return send(request()) && read_status() == 101; }
  // Opens and logs in.
  [[nodiscard]] bool log_in(const std::string& uid);

  [[nodiscard]] std::optional<WsFrame> read_frame();
  // The code of the close frame, skipping what comes before it; 0: the server closed without one, -1: it did
  // not.
  [[nodiscard]] int read_close_code();
};

}  // namespace hongyan::test
