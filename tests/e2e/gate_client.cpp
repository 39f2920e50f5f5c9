#include "tests/e2e/gate_client.h"

#include "tools/support/cluster.h"

namespace hongyan::e2e {

namespace {

client::AuthReq auth(const std::string& uid, const std::string& token, client::DeviceType device_type,
                     const std::string& device_id) {
  client::AuthReq request = test::demo_auth(uid, device_type, device_id);
  request.set_token(token);
  request.set_app_id(tools::Cluster::get().app());
  return request;
}

}  // namespace

GateClient::GateClient(std::size_t gate) : PacketClient(tools::Cluster::get().gates().at(gate)) {}

client::AuthResp GateClient::login(const std::string& uid, const std::string& token,
                                   client::DeviceType device_type, const std::string& device_id) {
  return log_in(auth(uid, token, device_type, device_id));
}

void GateClient::send_login(const std::string& uid, const std::string& token, client::DeviceType device_type,
                            const std::string& device_id) {
  send_auth(auth(uid, token, device_type, device_id));
}

void GateClient::ack(std::int64_t seq) {
  client::PushAck ack;
  ack.set_seq(seq);
  send(client::COMMAND_C2C_PUSH, 0, ack.SerializeAsString());
  // What is asked next is answered after it.
  constexpr std::uint32_t kSeq = 0x7FFFFFFF;
  client::PullReq pull;
  pull.set_limit(1);
  pull.set_outbox_offset(-1);
  send(client::COMMAND_PULL, kSeq, pull.SerializeAsString());
  while (const auto packet = read()) {
    if (packet->header.seq == kSeq) return;
  }
}

}  // namespace hongyan::e2e
