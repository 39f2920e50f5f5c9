// The protocol of a client, without I/O and without a clock: packets, connection changes and the time go in,
// outputs come out (client/cpp/outputs.h). docs/protocol.md says why it does what it does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/cpp/inbox.h"
#include "client/cpp/outgoing.h"
#include "client/cpp/outputs.h"
#include "client/cpp/pace.h"
#include "client/cpp/send_queue.h"
#include "client/cpp/types.h"
#include "common/base/backoff.h"
#include "common/net/packet.h"

namespace hongyan::client {

// One user on one device. Connects (by its driver), authenticates, pulls, keeps alive, and connects again
// until stop(), a kick for good (OTHER_LOGIN, or ADMIN without a time to come back) or a refusal that no
// retry can change.
//
// The driver calls the inputs on one thread, does take() after each, and calls on_time() at next_wake().
class ClientCore {
 public:
  // random: for jitter, in [0, 1).
  ClientCore(CoreOptions options, Random random);
  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;

  void start(SteadyTime now);
  // Online: says LOGOUT and waits for its answer, at most a second. Sends not yet answered fail.
  void stop(SteadyTime now);
  // The network is said to be back, or the device woke up: tries at once what waits for a later attempt, and
  // asks whether a connection that stands still lives.
  void hurry(SteadyTime now);
  // At once and without a word. For destructors.
  void abandon();

  // A connection stands: AUTH is sent. wall_ms: for the server's information.
  void connected(std::string token, std::int64_t wall_ms, SteadyTime now);
  // The connection, or the attempt to make one, failed. Not after an output::Close.
  void disconnected(Failure reason, SteadyTime now);
  // A token could not be had, and never will.
  void refuse(Failure reason, SteadyTime now);
  // Bytes came, whole packets or not: a sign of life. Before the packets in them.
  void on_bytes(std::size_t bytes, SteadyTime now);
  void on_packet(const net::Packet& packet, SteadyTime now);
  void on_time(SteadyTime now);

  // The answer is an output::SendDone with this id; ids grow.
  void send(SendId id, Outgoing what, SendOptions send_options, SteadyTime now);
  // Pulls from what is held; an output::Synced follows, perhaps after a reconnect.
  void pull(SteadyTime now);

  [[nodiscard]] std::vector<Output> take() { return outputs_.take(); }
  // When on_time() is due; SteadyTime::max(): not.
  [[nodiscard]] SteadyTime next_wake() const noexcept;

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] HeldSeqs held() const noexcept { return inbox_.held(); }
  [[nodiscard]] const GroupSeqs& held_groups() const noexcept { return inbox_.held_groups(); }
  [[nodiscard]] std::size_t pending_sends() const noexcept { return sends_.size(); }
  // The inbox seq that this device class had acknowledged at the last login: with a backlog, what is up to it
  // is not new.
  [[nodiscard]] std::int64_t acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] std::uint64_t session_id() const noexcept { return session_id_; }

 private:
  void dispatch(const net::Packet& packet, SteadyTime now);
  void on_response(const net::Packet& packet, SteadyTime now);
  void on_auth_response(std::string_view body, SteadyTime now);
  void on_auth_refused(const client::Error& error, SteadyTime now);
  void on_kickout(std::string_view body, SteadyTime now);
  void on_send_response(Command command, std::uint32_t seq, std::string_view body, SteadyTime now);
  void on_pull_response(std::uint32_t seq, std::string_view body, SteadyTime now);
  void protocol_error(std::string what, SteadyTime now);

  void connect(SteadyTime now);
  void leave_connection();
  void reconnect_later(Milliseconds at_least, Failure reason, SteadyTime now);
  void stop_for_good(Failure reason);
  void set_state(State state, Failure reason);
  void say_noop(SteadyTime now);
  void watch(bool received, SteadyTime now);
  [[nodiscard]] SteadyTime dead_at() const noexcept;

  const CoreOptions options_;
  const Random random_;
  Outputs outputs_;
  Pace pace_;
  SendQueue sends_;
  Inbox inbox_;
  Backoff backoff_;

  State state_ = State::kStopped;
  bool connection_ = false;  // standing, or being made by the driver
  bool stopping_ = false;    // LOGOUT is on its way
  std::uint64_t session_id_ = 0;
  std::int64_t acknowledged_ = 0;
  int refused_tokens_ = 0;  // in a row

  std::uint32_t auth_seq_ = 0;  // of the AUTH in flight; 0: none
  std::uint32_t noop_seq_ = 0;
  Milliseconds heartbeat_{0};
  SteadyTime connect_at_ = SteadyTime::max();
  SteadyTime heartbeat_at_ = SteadyTime::max();
  SteadyTime stop_at_ = SteadyTime::max();
  std::optional<SteadyTime> silent_since_;  // an answer is due and nothing came since
};

}  // namespace hongyan::client
