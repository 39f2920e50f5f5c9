// A bare connection to a gate: packets in, packets out, nothing else. As cheap as possible over TCP, because
// the generator shares its machine with the servers; other transports are the client library's.
#pragma once

#include <google/protobuf/message_lite.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cpp/transport.h"
#include "common/base/clock.h"
#include "common/base/result.h"
#include "common/net/asio.h"
#include "common/net/event_loop.h"
#include "common/net/packet.h"
#include "proto/client.pb.h"

namespace hongyan::bench {

struct Login {
  net::Tcp::endpoint gate = {};
  net::Tcp::endpoint source = {};  // to bind to, with TCP; port 0 and any address: the system's choice
  client::TransportFactory transports = {};  // empty: TCP
  std::string app_id = {};
  std::string uid = {};
  std::string token = {};
  client::DeviceType device = client::DEVICE_TYPE_LINUX;
};

class Connection;

// What the connections of one loop share: one buffer to read into, and the end of a turn of the loop, at
// which all that was queued leaves. Outlives the loop's handlers. Its loop only.
class LoopIo {
 public:
  explicit LoopIo(net::EventLoop& loop) : loop_(loop), input_(256 << 10) {}

 private:
  friend class Connection;
  void flush_later(std::shared_ptr<Connection> connection);

  net::EventLoop& loop_;
  std::vector<char> input_;
  std::vector<std::shared_ptr<Connection>> dirty_ = {};
  std::vector<std::shared_ptr<Connection>> flushing_ = {};
};

// Lives on one loop. log_in() first, then run() or log_out(). What is queued leaves at the end of the loop's
// turn, in one write. Every wait has a deadline.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Handlers {
    std::function<void(const net::Packet&)> on_packet;
    std::function<void()> on_batch_end = {};  // after all packets of one read; may be empty
    std::function<void(std::string why)> on_lost;
  };

  // io: outlives the connection.
  explicit Connection(LoopIo& io) : io_(io), socket_(io.loop_.executor()), decoder_(1 << 20) {}

  // Connects and authenticates. Errors: kUnavailable, kDeadlineExceeded, or what the server answered.
  [[nodiscard]] net::Awaitable<Result<client::AuthResp>> log_in(Login login);
  // Before run(): a request, and its answer's body. What is pushed meanwhile is dropped.
  [[nodiscard]] net::Awaitable<Result<std::string>> request(client::Command command, std::uint32_t seq,
                                                            std::string body);
  // Instead of run(): LOGOUT, its answer, the server's close.
  [[nodiscard]] net::Awaitable<Status> log_out();
  // Reads until close() or until it is lost. Packets that came with the login's answer are handled first.
  void run(Handlers handlers);
  void close();

  void queue(client::Command command, std::uint32_t seq, const google::protobuf::MessageLite& body);
  void queue(client::Command command, std::uint32_t seq, std::string_view body = {});

  // Runs f after the delay, unless it is closed by then.
  void later(Milliseconds delay, std::function<void()> f);

  // When the packets at hand were read: once a read, which is cheaper than once a packet.
  [[nodiscard]] SteadyTime read_at() const noexcept { return read_at_; }

 private:
  friend class LoopIo;
  void leave_later();
  void flush();
  void read();
  void on_readable();
  void handle();
  void lost(const std::string& why);
  // Sends what is queued, then reads up to the next packet of that command; its body. What comes before it is
  // dropped, what came after it stays in early_.
  [[nodiscard]] net::Awaitable<Result<std::string>> exchange(client::Command command);
  [[nodiscard]] std::optional<std::string> take_early(client::Command command);
  [[nodiscard]] net::Awaitable<Status> open(const Login& login);
  // Over the socket or the transport, awaited. Reading: bytes; kUnavailable at the end, too.
  [[nodiscard]] net::Awaitable<Status> write_all(std::string_view bytes);
  [[nodiscard]] net::Awaitable<Result<std::size_t>> read_some(net::asio::mutable_buffer into);
  // Over the transport, until closed.
  [[nodiscard]] static net::Awaitable<> read_always(std::shared_ptr<Connection> self);
  [[nodiscard]] static net::Awaitable<> write_queued(std::shared_ptr<Connection> self);
  void received(std::string_view bytes);

  LoopIo& io_;
  net::TcpSocket socket_;
  std::unique_ptr<client::Transport> transport_ = {};  // null: the socket
  net::PacketDecoder decoder_;
  Handlers handlers_;
  std::string early_ = {};  // read before run()
  std::string queued_ = {};
  std::string writing_ = {};
  SteadyTime read_at_;
  bool running_ = false;
  bool sending_ = false;  // write_queued() runs
  bool dirty_ = false;
  bool closed_ = false;
};

}  // namespace hongyan::bench
