#include "tests/e2e/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tools/support/cluster.h"

namespace hongyan::e2e {

RawClient::RawClient(std::size_t index) {
  const auto& gate = tools::Cluster::get().gates().at(index);
  socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(gate.port);
  inet_pton(AF_INET, gate.host.c_str(), &address.sin_addr);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) closed_ = true;
}

RawClient::~RawClient() { ::close(socket_); }

void RawClient::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return;  // the gate closed; reading tells
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void RawClient::send(std::uint32_t cmd, std::uint32_t seq, std::string_view body, std::uint32_t version) {
  std::string bytes;
  net::append_packet(bytes, version, cmd, seq, body);
  write(bytes);
}

std::optional<RawPacket> RawClient::read(std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    if (input_.size() >= net::kHeaderSize) {
      const auto header = net::read_header(input_.data());
      const std::size_t size = net::kHeaderSize + header.body_length;
      if (input_.size() >= size) {
        RawPacket packet{.header = header, .body = input_.substr(net::kHeaderSize, header.body_length)};
        input_.erase(0, size);
        return packet;
      }
    }
    if (closed_) return std::nullopt;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd one{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 65536> buffer;
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (size <= 0) {
      closed_ = true;
    } else {
      input_.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
}

bool RawClient::wait_closed(std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!closed_ && std::chrono::steady_clock::now() < end) {
    static_cast<void>(read(std::chrono::milliseconds(100)));
  }
  return closed_;
}

void RawClient::send_login(const std::string& uid, const std::string& token, client::DeviceType device_type,
                           const std::string& device_id) {
  client::AuthReq request;
  request.set_uid(uid);
  request.set_token(token);
  request.set_app_id(tools::Cluster::get().app());
  request.set_device_type(device_type);
  request.set_device_id(device_id);
  send(client::COMMAND_AUTH, 1, request.SerializeAsString());
}

void RawClient::ack(std::int64_t seq) {
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

client::AuthResp RawClient::login(const std::string& uid, const std::string& token,
                                  client::DeviceType device_type, const std::string& device_id) {
  send_login(uid, token, device_type, device_id);
  client::AuthResp response;
  const auto packet = read();
  if (!packet || !response.ParseFromString(packet->body)) {
    response.mutable_error()->set_code(client::ERROR_CODE_INTERNAL);
  }
  return response;
}

client::ErrorCode error_of(const RawPacket& packet) {
  client::ErrorOnly message;
  return message.ParseFromString(packet.body) ? message.error().code() : client::ERROR_CODE_INTERNAL;
}

}  // namespace hongyan::e2e
