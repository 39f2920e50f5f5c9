// Collects the history of a run as packets pass by.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "client/transport.h"
#include "proto/client.pb.h"
#include "tests/checker/history.h"

namespace hongyan::checker {

[[nodiscard]] Micros now_micros() noexcept;

// Who is on a connection.
struct Seat {
  std::string uid = {};
  std::string device = {};
  bool auditor =
      false;  // pulls from the start: its rows make up the history's Pulled, and it is told nothing
};

// One connection.
struct Wire {
  Seat seat = {};
  std::uint64_t number = 0;  // different for each
  std::uint16_t port = 0;    // where it goes
};

// Lives on one loop. Outlives every transport that it made.
class Recorder {
 public:
  // A TCP transport whose packets are recorded, both ways.
  [[nodiscard]] client::TransportFactory tap(Seat seat);

  // The index of the new attempt.
  [[nodiscard]] std::size_t attempt(const Wire& wire, const client::C2CSendReq& request);
  void answer(std::size_t attempt, const client::C2CSendResp& response);
  void hung_up(std::size_t attempt);
  void logged_in(const Wire& wire, Micros asked, const client::AuthResp& response);
  void pushed(const Wire& wire, const client::C2CPush& push);
  void notified(const Wire& wire, const client::SyncNotify& notify);
  void pulled(const Wire& wire, Micros asked, const client::PullResp& response);

  // How many different messages to the user were acknowledged.
  [[nodiscard]] std::int64_t acknowledged_to(const std::string& uid) const;
  // The largest inbox seq that the device heard of.
  [[nodiscard]] std::int64_t told(const std::string& uid, const std::string& device) const;
  // The longest inbox that anybody pulled from the start.
  [[nodiscard]] std::int64_t inbox_of(const std::string& uid) const;
  // When the device's last login succeeded.
  [[nodiscard]] Micros online_since(const std::string& uid, const std::string& device) const;
  // Since the last call: the longest time without an acknowledgement. Counts from the call on.
  [[nodiscard]] Micros restart_stall();

  [[nodiscard]] History& history() noexcept { return history_; }

 private:
  using Place = std::pair<std::string, std::string>;  // uid, device or client_msg_id

  enum class By : std::uint8_t { kLogin, kPush, kOther };
  void tell(const Wire& wire, Micros asked, std::int64_t inbox_seq, By by);

  History history_;
  std::map<Place, bool> acknowledged_;
  std::map<std::string, std::int64_t> acknowledged_to_;
  std::map<Place, std::int64_t> told_;
  std::map<Place, Micros> online_since_;
  std::map<Place, std::size_t> pulls_;           // index of Pulled
  std::map<std::string, std::int64_t> inboxes_;  // longest pulled
  std::uint64_t connections_ = 0;
  Micros last_ok_ = 0;
  Micros stall_ = 0;
};

}  // namespace hongyan::checker
