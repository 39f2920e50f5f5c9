// A client that sends any bytes and reads packets, blocking with a time limit: for tests of the gate.
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
#include "proto/client.pb.h"

namespace hongyan::test {

class PacketClient {
 public:
  struct Received {
    net::PacketHeader header;
    std::string body;
  };

  // receive_buffer: of the socket, in bytes; 0 leaves the system's.
  explicit PacketClient(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~PacketClient() { close(); }
  PacketClient(const PacketClient&) = delete;
  PacketClient& operator=(const PacketClient&) = delete;

  [[nodiscard]] bool connected() const noexcept { return connected_; }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  // False: the server has closed.
  bool send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool send(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body, std::uint32_t version = 200) {
    std::string packet;
    net::append_packet(packet, version, cmd_id, seq, body);
    return send_bytes(packet);
  }
  bool send_auth(const std::string& uid, std::uint32_t seq = 1,
                 client::DeviceType device = client::DEVICE_TYPE_IOS, const std::string& device_id = "") {
    client::AuthReq auth;
    auth.set_token("token");
    auth.set_uid(uid);
    auth.set_app_id("demo");
    auth.set_device_type(device);
    auth.set_device_id(device_id);
    return send(client::COMMAND_AUTH, seq, auth.SerializeAsString());
  }
  // Sends AUTH and waits for the answer. False: not logged in.
  [[nodiscard]] bool log_in(const std::string& uid, client::DeviceType device = client::DEVICE_TYPE_IOS,
                            const std::string& device_id = "") {
    if (!send_auth(uid, 1, device, device_id)) return false;
    const auto answer = read();
    return answer && answer->header.cmd_id == client::COMMAND_AUTH &&
           error_of(*answer) == client::ERROR_CODE_OK;
  }

  // The next packet; nothing when the server closed (see closed()) or the time is over.
  [[nodiscard]] std::optional<Received> read(Milliseconds limit = Milliseconds(10000)) {
    const SteadyTime deadline = SteadyClock::now() + limit;
    for (;;) {
      if (auto packet = take_packet()) return packet;
      if (!receive(deadline)) return std::nullopt;
    }
  }
  // Reads (and throws away) until the server closes.
  [[nodiscard]] bool wait_closed(Milliseconds limit = Milliseconds(10000)) {
    const SteadyTime deadline = SteadyClock::now() + limit;
    while (!closed_ && receive(deadline)) {
    }
    return closed_;
  }
  [[nodiscard]] bool closed() const noexcept { return closed_; }

  [[nodiscard]] static client::ErrorCode error_of(const Received& packet) {
    client::ErrorOnly error;
    return error.ParseFromString(packet.body) ? error.error().code() : client::ERROR_CODE_INTERNAL;
  }

 private:
  std::optional<Received> take_packet() {
    if (input_.size() < net::kHeaderSize) return std::nullopt;
    const auto header = net::read_header(input_.data());
    const std::size_t size = net::kHeaderSize + header.body_length;
    if (input_.size() < size) return std::nullopt;
    Received packet{.header = header, .body = input_.substr(net::kHeaderSize, header.body_length)};
    input_.erase(0, size);
    return packet;
  }
  bool receive(SteadyTime deadline) {
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - SteadyClock::now()).count();
    if (closed_ || left <= 0) return false;
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(left)) <= 0) return false;
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
  bool connected_ = false;
  bool closed_ = false;
  std::string input_;
};

}  // namespace hongyan::test
