// One connection of a client.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/forward/router.h"
#include "common/net/event_loop.h"
#include "common/net/packet.h"
#include "gate/session/counters.h"
#include "gate/session/line_limit.h"
#include "gate/session/output_queue.h"
#include "gate/session/peer_table.h"
#include "gate/transport/transport.h"
#include "proto/client.pb.h"

namespace hongyan::gate {

struct SessionOptions {
  std::uint32_t min_client_version = 1;
  std::uint32_t max_client_version = 0xFFFFFFFF;
  std::size_t max_body_before_login = 4 << 10;
  std::size_t max_body_bytes = 64 << 10;
  std::size_t max_output_bytes = 1 << 20;
  std::uint32_t max_in_flight = 64;  // unanswered requests; past it the session is not read
  std::size_t max_in_flight_bytes = 1 << 20;
  double requests_per_second = 1000;  // what comes faster is read later
  double packets_per_second = 20000;
  double bytes_per_second = 16 << 20;
  Milliseconds login_deadline{10000};
  Milliseconds heartbeat{270000};  // silent for 1.5 times that: closed
  Milliseconds linger{800};        // how long a client may take to read a last packet
};

class Session;
using SessionPtr = std::shared_ptr<Session>;

// What a session asks of its worker. Outlives the session; all calls on the loop.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // As Forwarder's.
  [[nodiscard]] virtual Status submit(const Peer& peer, std::uint32_t cmd_id, std::uint32_t seq,
                                      std::string_view body) = 0;
  virtual void send_ack(const Peer& peer, std::uint32_t cmd_id, std::string_view body) = 0;
  // The loop did not run for long: what is read now may be of clients that have given up.
  [[nodiscard]] virtual bool stood_still(SteadyTime now) const = 0;
  // Its owner waits to hear that the client is there.
  virtual void confirm_login(Peer& peer) = 0;
  // A session that is logged in, or may be by now, is about to end.
  virtual void logged_out(const Peer& peer) = 0;
  // flush() at the end of this turn of the loop.
  virtual void flush_later(SessionPtr session) = 0;
  // end() after options.linger.
  virtual void end_later(SessionPtr session) = 0;
  // The connection is closed; the peer is removed after this.
  virtual void ended(Session& session) = 0;
};

// What all sessions of a worker share.
struct SessionContext {
  net::EventLoop& loop;
  const SessionOptions& options;
  PeerTable& peers;
  Counters& counters;
  SessionHost& host;
  OutputPool outputs;
  std::vector<net::asio::const_buffer> gather;  // reused, for its memory
  LineLimit lines;
};

// Reads packets, checks them, answers what the gate answers itself and forwards the rest; queues what goes to
// the client and writes it once a turn of the loop. Knows no kind of transport.
//
// Owns itself until it is closed: whoever made the worker's sessions ends them all. Lives on the context's
// loop. Open -> closing (a last packet is being written: nothing of the client counts any more, it is closed
// within a second) -> closed (its peer is gone).
class Session : public std::enable_shared_from_this<Session> {
 public:
  // Makes the peer, starts to read.
  static SessionPtr start(SessionContext& context, std::unique_ptr<Transport> transport);
  Session(SessionContext& context, std::unique_ptr<Transport> transport, Peer& peer);

  // From the owner of the user.
  void on_answer(std::uint32_t cmd_id, std::uint32_t seq, std::size_t request_bytes,
                 const forward::Answer& answer);
  void on_refused(std::uint32_t cmd_id, std::uint32_t seq, std::size_t request_bytes, const Error& error);
  [[nodiscard]] bool takes_pushes() const noexcept;
  void push(std::uint32_t cmd_id, std::string_view body, std::string_view suffix = {});
  void push_shared(std::uint32_t cmd_id, SharedBody body, std::string_view suffix = {});
  // Sends the Kickout (none when empty) and closes.
  void kick(std::string_view kickout);
  void kick(client::KickReason reason, std::string_view message, std::uint32_t reconnect_after_ms = 0);

  // The walk's look: login deadline and heartbeat. False: it was too late, and its peer is gone.
  [[nodiscard]] bool check(SteadyTime now);
  void flush();
  // Closes at once.
  void end(std::string_view reason);

  [[nodiscard]] Peer& peer() noexcept { return peer_; }
  [[nodiscard]] Transport& transport() noexcept { return *transport_; }

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kClosed };

  [[nodiscard]] static net::Awaitable<> read_all(SessionPtr self);
  [[nodiscard]] static net::Awaitable<> write_rest(SessionPtr self);
  void on_bytes(std::string_view bytes);
  // The transport's framing was broken by the client; it tells the client when it finishes.
  void on_broken_framing(std::string_view reason);
  void on_packet(const net::Packet& packet);
  void on_auth(const net::Packet& packet);
  void on_ack(const net::Packet& packet);
  void on_request(const net::Packet& packet);
  [[nodiscard]] bool within_rate(const net::Packet& packet, SteadyTime now);
  void forward(const net::Packet& packet);
  void unparsable(const net::Packet& packet);
  void log_in(const forward::Answer& answer);

  void respond(std::uint32_t cmd_id, std::uint32_t seq, std::string_view body);
  void respond_error(std::uint32_t cmd_id, std::uint32_t seq, const Error& error);
  // Answers, counts, and closes when the answer has been read.
  void refuse_and_close(const net::PacketHeader& header, Refusal refusal, Code code,
                        std::string_view message);
  [[nodiscard]] OutputQueue& output();
  // After something was queued.
  void queued();
  void begin_closing();
  void drained();
  void start_reading();
  // How long no request may be taken, at most kLongestPause.
  [[nodiscard]] Milliseconds pause_for_rate();
  void request_done(std::size_t request_bytes);
  [[nodiscard]] bool should_pause() const noexcept;
  void note(std::string_view what);

  SessionContext& context_;
  SessionPtr self_;  // until closed
  const std::unique_ptr<Transport> transport_;
  Peer& peer_;  // until closed
  net::PacketDecoder decoder_;
  std::string held_;  // read already, and not to be taken yet
  TokenBucket requests_;
  TokenBucket packets_;
  TokenBucket bytes_;
  OutputQueuePtr output_;   // null: nothing waits
  OutputQueuePtr writing_;  // being written by write_rest()
  SteadyTime now_;          // of the present read
  std::uint32_t version_ = 0;
  std::uint32_t in_flight_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::uint16_t pending_auths_ = 0;
  bool auth_in_doubt_ = false;  // no answer to an AUTH came in time
  std::uint8_t unparsable_in_row_ = 0;
  State state_ = State::kOpen;
  bool version_known_ = false;
  bool reading_ = false;  // read_all() runs
  bool flush_due_ = false;
  bool broken_ = false;    // nothing more can be understood: no answer is waited for
  bool finished_ = false;  // the transport was told that nothing more comes
};

}  // namespace hongyan::gate
