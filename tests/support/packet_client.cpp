#include "tests/support/packet_client.h"

namespace hongyan::test {

client::ErrorCode error_of(const Received& packet) {
  client::ErrorOnly message;
  return message.ParseFromString(packet.body) ? message.error().code() : client::ERROR_CODE_INTERNAL;
}

std::string packet(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body, std::uint32_t version) {
  std::string bytes;
  net::append_packet(bytes, version, cmd_id, seq, body);
  return bytes;
}

client::AuthReq demo_auth(const std::string& uid, client::DeviceType device, const std::string& device_id) {
  client::AuthReq request;
  request.set_token("token");
  request.set_uid(uid);
  request.set_app_id("demo");
  request.set_device_type(device);
  request.set_device_id(device_id);
  return request;
}

std::optional<Received> PacketClient::read(Milliseconds limit) {
  const SteadyTime deadline = SteadyClock::now() + limit;
  if (!fill(net::kHeaderSize, deadline)) return std::nullopt;
  const net::PacketHeader header = net::read_header(input().data());
  if (!fill(net::kHeaderSize + header.body_length, deadline)) return std::nullopt;
  take(net::kHeaderSize);
  return Received{.header = header, .body = take(header.body_length)};
}

client::AuthResp PacketClient::log_in(const client::AuthReq& request) {
  client::AuthResp response;
  std::optional<Received> answer;
  if (send_auth(request)) answer = read();
  if (!answer || answer->header.cmd_id != client::COMMAND_AUTH || !response.ParseFromString(answer->body)) {
    response.mutable_error()->set_code(client::ERROR_CODE_INTERNAL);
  }
  return response;
}

}  // namespace hongyan::test
