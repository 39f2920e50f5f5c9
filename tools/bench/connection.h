// A bare connection to a gate: packets in, packets out, nothing else. As cheap as possible, because the
// generator shares its machine with the servers.
#pragma once

#include <google/protobuf/message_lite.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/asio.h"
#include "common/net/packet.h"
#include "proto/client.pb.h"

namespace hongyan::bench {

struct Login {
  std::string host = {};
  std::uint16_t port = 0;
  std::string app_id = {};
  std::string uid = {};
  std::string token = {};
};

// Lives on one loop. log_in() first, then run(). What is queued leaves at flush(), in one write.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Handlers {
    std::function<void(const net::Packet&)> on_packet;
    std::function<void()> on_batch_end;  // after all packets of one read
    std::function<void(std::string why)> on_lost;
  };

  explicit Connection(net::Executor executor) : socket_(executor), decoder_(1 << 20) {}

  // Connects and authenticates.
  [[nodiscard]] net::Awaitable<Result<client::AuthResp>> log_in(Login login);
  // Reads until close() or until it is lost. Packets that came with the login's answer are handled first.
  void run(Handlers handlers);
  void close();

  void queue(client::Command command, std::uint32_t seq, const google::protobuf::MessageLite& body);
  void flush();

 private:
  void read();
  void handle(std::size_t bytes);
  void lost(const std::string& why);

  net::TcpSocket socket_;
  net::PacketDecoder decoder_;
  Handlers handlers_;
  std::vector<char> input_ = std::vector<char>(64 << 10);
  std::string queued_ = {};
  std::string writing_ = {};
  bool closed_ = false;
};

}  // namespace hongyan::bench
