// A connection to a gate that writes whatever a test wants, and reads packets with a deadline.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "client/cpp/types.h"
#include "common/net/packet.h"
#include "proto/client.pb.h"

namespace hongyan::e2e {

struct RawPacket {
  net::PacketHeader header;
  std::string body;
};

class RawClient {
 public:
  // Connects to a gate of the cluster.
  explicit RawClient(std::size_t gate = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void write(std::string_view bytes);
  void send(std::uint32_t cmd, std::uint32_t seq, std::string_view body,
            std::uint32_t version = client::kClientVersion);
  // The next packet; none: the deadline passed or the gate closed (then closed() is true).
  [[nodiscard]] std::optional<RawPacket> read(std::chrono::milliseconds deadline = std::chrono::seconds(10));
  // Reads and drops until the gate closes; false: it did not within the deadline.
  [[nodiscard]] bool wait_closed(std::chrono::milliseconds deadline = std::chrono::seconds(15));
  [[nodiscard]] bool closed() const { return closed_; }

  // Logs in; the answer.
  [[nodiscard]] client::AuthResp login(const std::string& uid, const std::string& token,
                                       client::DeviceType device_type = client::DEVICE_TYPE_LINUX,
                                       const std::string& device_id = "raw");
  // The packet of a login, for who reads the answer itself.
  void send_login(const std::string& uid, const std::string& token, client::DeviceType device_type,
                  const std::string& device_id);
  // Acknowledges the inbox up to seq, and returns once the acknowledgement was taken.
  void ack(std::int64_t seq);

 private:
  int socket_ = -1;
  bool closed_ = false;
  std::string input_;
};

// The error of any response.
[[nodiscard]] client::ErrorCode error_of(const RawPacket& packet);

}  // namespace hongyan::e2e
