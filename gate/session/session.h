// One connection of a client.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/log/line_limit.h"
#include "common/net/event_loop.h"
#include "common/owners/router.h"
#include "gate/session/admission.h"
#include "gate/session/counters.h"
#include "gate/session/intake.h"
#include "gate/session/outbox.h"
#include "gate/session/upstream.h"
#include "proto/client.pb.h"

namespace hongyan::gate {

// What all sessions of a loop share.
struct SessionContext {
  net::EventLoop& loop;
  const Admission& admission;
  const SessionOptions& options;
  ClientTable& clients;
  Counters& counters;
  Upstream& upstream;
  SessionLoop& host;
  OutboxContext outboxes;
  log::LineLimit lines;
};

// A connection that may come in: whose it is, and since when.
struct Arrived {
  Admission::Place place;
  net::asio::ip::address address;
  SteadyTime at;
};

// The protocol of one client: checks its packets, answers what the gate answers itself and forwards the rest,
// until it is closed. What comes is an Intake's business, what goes an Outbox's. Knows no kind of transport.
//
// Owns itself until it is closed: whoever made the loop's sessions ends them all. Lives on the context's
// loop.
class Session : public std::enable_shared_from_this<Session> {
 public:
  // Makes the client, starts to read.
  static SessionPtr start(SessionContext& context, std::unique_ptr<Transport> transport, Arrived arrived);
  Session(SessionContext& context, std::unique_ptr<Transport> transport, Arrived arrived, Client& client);

  // From the owner of the user.
  void on_answer(std::uint32_t cmd_id, std::uint32_t seq, std::size_t request_bytes,
                 const owners::Answer& answer);
  void on_refused(std::uint32_t cmd_id, std::uint32_t seq, std::size_t request_bytes, const Error& error);
  [[nodiscard]] bool takes_pushes() const noexcept;
  void push(std::uint32_t cmd_id, std::string_view body, std::string_view suffix = {});
  void push_shared(std::uint32_t cmd_id, SharedBody body, std::string_view suffix = {});
  // Sends the Kickout (none when empty) and closes.
  void kick(std::string_view kickout);
  void kick(client::KickReason reason, std::string_view message, std::uint32_t reconnect_after_ms = 0);

  // Login deadline and heartbeat; returns when to be asked again. Nothing: it was too late, and its client is
  // gone.
  [[nodiscard]] std::optional<SteadyTime> check(SteadyTime now);
  void flush();
  // Closes at once.
  void end(std::string_view reason);

  [[nodiscard]] Client& client() noexcept { return client_; }

 private:
  enum class State : std::uint8_t {
    kOpen,
    kClosing,   // nothing of the client counts any more; the last packets and answers go to it
    kFinished,  // the transport was told that nothing more comes; closed within SessionOptions::kLinger
    kClosed,    // its client is gone
  };

  [[nodiscard]] static net::Awaitable<> read_all(SessionPtr self);
  [[nodiscard]] static net::Awaitable<> write_rest(SessionPtr self);
  void start_reading();
  // It is open, and so much is unanswered, or waits behind an AUTH, that it reads no more.
  [[nodiscard]] bool reads_no_more() const noexcept;

  void on_bytes(std::string_view bytes);
  // What a client sends that is being closed; much of it ends the session at once.
  void discard(std::size_t bytes);
  // The transport's framing was broken by the client; it tells the client when it finishes.
  void on_broken_framing(std::string_view reason);
  void on_packet(const net::Packet& packet);
  void on_auth(const net::Packet& packet);
  void on_ack(const net::Packet& packet);
  void on_request(const net::Packet& packet);
  [[nodiscard]] bool within_rate(const net::Packet& packet);
  // False: it was not taken, and that was answered.
  bool forward(const net::Packet& packet);
  void unparsable(const net::Packet& packet);
  void request_done(std::size_t request_bytes);
  // An AUTH is answered: the next one may come, and what came behind the first one is taken.
  void auth_done(bool refused);
  // Answered already. Closes who is refused too often.
  void login_refused();
  void log_in(const owners::Answer& answer);
  void audit_login(std::string_view event, Code code) const;

  void respond(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body);
  // Whatever the state, and however much waits.
  void append(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body);
  void respond_error(std::uint32_t cmd_id, std::uint32_t seq, const Error& error);
  // Answers, counts, and closes when the answer has been read.
  void refuse_and_close(const net::PacketHeader& header, Refusal refusal, Code code,
                        std::string_view message);
  // After something was queued.
  void queued();
  void begin_closing();
  void drained();
  void note(std::string_view what);

  SessionContext& context_;
  SessionPtr self_;  // until closed
  const std::unique_ptr<Transport> transport_;
  Arrived arrived_;
  Client& client_;  // until closed
  Intake intake_;
  Outbox outbox_;
  std::uint32_t discarded_bytes_ = 0;  // that came while it was closing
  std::uint32_t refused_logins_ = 0;   // since the last one that was not
  std::uint8_t unparsable_in_row_ = 0;
  State state_ = State::kOpen;
  bool auth_pending_ = false;
  bool auth_in_doubt_ = false;  // no answer to an AUTH came in time
  bool reading_ = false;        // read_all() runs
};

}  // namespace hongyan::gate
