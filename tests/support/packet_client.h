// A client that sends any packets, right or wrong, and reads what comes, blocking with a time limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/packet.h"
#include "proto/client.pb.h"
#include "tests/support/raw_client.h"

namespace hongyan::test {

struct Received {
  net::PacketHeader header;
  std::string body;
};
// The error of any response; INTERNAL when it does not parse.
[[nodiscard]] client::ErrorCode error_of(const Received& packet);

inline constexpr std::uint32_t kClientVersion = 200;
[[nodiscard]] std::string packet(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body,
                                 std::uint32_t version = kClientVersion);
// The body of an AUTH that the logic of these tests accepts: of the app "demo", with any token.
[[nodiscard]] client::AuthReq demo_auth(const std::string& uid,
                                        client::DeviceType device = client::DEVICE_TYPE_IOS,
                                        const std::string& device_id = "");

// Over TCP. One thread.
class PacketClient : public RawClient {
 public:
  using RawClient::RawClient;
  using RawClient::send;

  // False: the server has closed.
  bool send(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body,
            std::uint32_t version = kClientVersion) {
    return send(packet(cmd_id, seq, body, version));
  }
  // The next packet; nothing when the server closed (see closed()) or the time is over.
  [[nodiscard]] std::optional<Received> read(Milliseconds limit = kPatience);

  bool send_auth(const client::AuthReq& request, std::uint32_t seq = 1) {
    return send(client::COMMAND_AUTH, seq, request.SerializeAsString());
  }
  bool send_auth(const std::string& uid, std::uint32_t seq = 1) { return send_auth(demo_auth(uid), seq); }
  // Sends AUTH and waits for the answer; INTERNAL when none came.
  [[nodiscard]] client::AuthResp log_in(const client::AuthReq& request);
  // False: not logged in.
  [[nodiscard]] bool log_in(const std::string& uid, client::DeviceType device = client::DEVICE_TYPE_IOS,
                            const std::string& device_id = "") {
    return log_in(demo_auth(uid, device, device_id)).error().code() == client::ERROR_CODE_OK;
  }
};

}  // namespace hongyan::test
