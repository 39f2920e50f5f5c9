// Messages on their way out: kept until answered, resent with the same client_msg_id.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "client/cpp/outputs.h"
#include "client/cpp/pace.h"
#include "client/cpp/send_line.h"
#include "common/base/backoff.h"

namespace hongyan::client {

// Life of a send: waiting (for its turn, for a connection) -> in flight -> answered, or back to waiting after
// UNAVAILABLE, RATE_LIMITED (took nothing), DEADLINE_EXCEEDED, INTERNAL, a time-out or a cut connection
// (outcome unknown); until its deadline, when it ends as kDeadlineExceeded. Other errors end it at once; when
// an earlier attempt had an unknown outcome, the result says kDeadlineExceeded, because that attempt may have
// been stored. A refused one tries again after its own pause; when refusals are many, SendLine decides who
// tries.
//
// Bounded by CoreOptions::max_pending and max_pending_bytes. Pure; lives in ClientCore, on its thread.
class SendQueue {
 public:
  // outputs, pace, random: outlive the queue.
  SendQueue(const CoreOptions& options, Outputs& outputs, Pace& pace, const Random& random);

  struct Request {
    Command command = COMMAND_C2C_SEND;
    std::string conversation{};  // order is kept within it
    std::string client_msg_id{};
    std::string body{};  // serialized
    Milliseconds deadline{0};
  };
  // The answer is an output::SendDone, at once when the queue is full.
  void add(SendId id, Request request, SteadyTime now);

  void on_online(SteadyTime now);
  void on_offline();
  // The answer to a request: a receipt (client_msg_id and attempts are filled in), or an error other than OK.
  // False when nobody waits for it.
  bool on_response(std::uint32_t seq, SendReceipt receipt, const client::Error& error, SteadyTime now);
  void on_time(SteadyTime now);
  // Ends everything: kUnavailable what surely was not stored, kDeadlineExceeded the rest.
  void fail_all(const std::string& why);

  // SteadyTime::max(): none.
  [[nodiscard]] SteadyTime next_wake() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return by_seq_.size(); }
  [[nodiscard]] bool pending(const std::string& client_msg_id) const {
    return ids_in_use_.contains(client_msg_id);
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  // kWaiting: for its turn, or for a connection. kHeld: by its line.
  enum class Phase : std::uint8_t { kWaiting, kHeld, kInFlight, kPaused };
  struct Entry {
    Request request;
    SteadyTime deadline;
    SteadyTime wake;  // its place in wakes_
    Phase phase = Phase::kWaiting;
    std::uint32_t seq = 0;
    Pace::Mark written{};  // in flight
    int attempts = 0;
    int refusals = 0;  // in a row, for the back-off
    bool unknown = false;
  };
  using Entries = std::map<SendId, Entry>;

  void transmit(Entries::iterator entry, SteadyTime now);
  void transmit_if_its_turn(Entries::iterator entry, SteadyTime now);
  void transmit_held(SendLine& line, SteadyTime now);
  [[nodiscard]] SendLine& line_of(const Entry& entry) noexcept {
    return entry.request.command == COMMAND_C2S ? uploads_ : messages_;
  }
  // Tells an entry's line of an answer that took nothing, or that there is none.
  void tell_line(const Entry& entry, bool refused, Milliseconds retry_after, SteadyTime now);
  void pause(Entries::iterator entry, Milliseconds at_least, SteadyTime now);
  void leave_flight(Entries::iterator entry);
  void set_wake(Entries::iterator entry, SteadyTime wake);
  void finish(Entries::iterator entry, Result<SendReceipt> result, SteadyTime now);
  [[nodiscard]] static std::size_t cost(const Request& request) noexcept;

  const CoreOptions& options_;
  Outputs& outputs_;
  Pace& pace_;
  const Random& random_;

  SendLine messages_;  // the sender's shard takes them
  SendLine uploads_;
  bool online_ = false;
  std::size_t bytes_ = 0;
  Entries entries_;  // by id, which is the order of add()
  std::unordered_map<std::uint32_t, SendId> by_seq_;
  std::unordered_map<std::string, std::deque<SendId>> conversations_;
  std::set<std::pair<SteadyTime, SendId>> wakes_;
  std::unordered_set<std::string> ids_in_use_;
};

}  // namespace hongyan::client
