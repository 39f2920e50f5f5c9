// A gate for tests of the client library: speaks the client protocol over loopback, keeps one user's inbox in
// memory, and misbehaves when told to. No other server stands behind it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/net/asio.h"
#include "common/net/event_loop.h"
#include "common/net/packet.h"
#include "proto/client.pb.h"

namespace hongyan::testing {

// Own thread; every method may be called from any thread. Connections still open end with it.
class FakeGate {
 public:
  FakeGate();
  ~FakeGate();

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  struct SentMessage {
    std::string to;
    std::string content;
    std::string client_msg_id;
    std::int64_t msg_id = 0;
  };

  // Puts a message into the inbox; pushes it to the newest session when `push`.
  std::int64_t store(const std::string& from, const std::string& content, bool push);
  void kick(client::KickReason reason, std::uint32_t reconnect_after_ms = 0);
  // Closes every connection.
  void cut();
  // The next so many sends are stored, and then the connection is cut instead of answered.
  void cut_instead_of_answering(int sends);
  // The next so many sends are refused with this code; nothing is stored.
  void refuse_sends(int sends, client::ErrorCode code);
  void refuse_auth(client::ErrorCode code);
  // Answers to everything are swallowed.
  void go_silent(bool silent);

  // What was stored, in order; resends of a stored client_msg_id are not stored again.
  [[nodiscard]] std::vector<SentMessage> stored() const;
  [[nodiscard]] int logins() const;
  [[nodiscard]] int send_packets() const;
  [[nodiscard]] std::int64_t acknowledged() const;
  [[nodiscard]] std::string last_token() const;

  // Waits until the condition holds (looked at whenever something happened). False after ten seconds.
  [[nodiscard]] bool wait_for(const std::function<bool()>& condition);

 private:
  struct Connection;
  static net::Awaitable<> accept_loop(FakeGate* self);
  static net::Awaitable<> serve(FakeGate* self, std::shared_ptr<Connection> connection);
  void handle(const std::shared_ptr<Connection>& connection, const net::Packet& packet);
  void on_send(const std::shared_ptr<Connection>& connection, const net::Packet& packet);
  void on_pull(const std::shared_ptr<Connection>& connection, const net::Packet& packet);
  template <typename Body>
  void reply(const std::shared_ptr<Connection>& connection, std::uint32_t command, std::uint32_t seq,
             const Body& body);
  void happened();
  void run_on_loop(std::function<void()> work);

  net::EventLoop loop_{"fake-gate"};
  net::TcpAcceptor acceptor_;
  std::uint16_t port_ = 0;
  std::vector<std::shared_ptr<Connection>> connections_;  // on the loop

  mutable std::recursive_mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<client::PullMsg> inbox_;
  std::vector<SentMessage> stored_;
  std::map<std::string, std::int64_t> msg_ids_;
  int cut_sends_ = 0;
  int refused_sends_ = 0;
  client::ErrorCode send_refusal_ = client::ERROR_CODE_OK;
  client::ErrorCode auth_refusal_ = client::ERROR_CODE_OK;
  bool silent_ = false;
  int logins_ = 0;
  int send_packets_ = 0;
  std::int64_t acknowledged_ = 0;
  std::string last_token_;
};

}  // namespace hongyan::testing
