// A connection to a gate of the cluster that sends whatever a test wants.
#pragma once

#include <string>

#include "tests/support/packet_client.h"

namespace hongyan::e2e {

class GateClient : public test::PacketClient {
 public:
  explicit GateClient(std::size_t gate = 0);

  // Logs in; the answer.
  [[nodiscard]] client::AuthResp login(const std::string& uid, const std::string& token,
                                       client::DeviceType device_type = client::DEVICE_TYPE_LINUX,
                                       const std::string& device_id = "raw");
  // The packet of a login, for who reads the answer itself.
  void send_login(const std::string& uid, const std::string& token, client::DeviceType device_type,
                  const std::string& device_id);
  // Acknowledges the inbox up to seq, and returns once the acknowledgement was taken.
  void ack(std::int64_t seq);
};

}  // namespace hongyan::e2e
