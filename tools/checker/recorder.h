// Collects the history of a run as packets pass by.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "client/cpp/transport.h"
#include "proto/client.pb.h"
#include "tools/checker/history.h"

namespace hongyan::checker {

[[nodiscard]] Micros now_micros() noexcept;

// The name of an auditor that is a device of its own, of a class that nothing was ever acknowledged for.
inline constexpr std::string_view kNewDevice = "auditor";

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
  // Those transports, with their packets recorded, both ways.
  [[nodiscard]] client::TransportFactory tap(Seat seat, client::TransportFactory transports);

  // The index of the new attempt.
  [[nodiscard]] std::size_t attempt(const Wire& wire, Attempt attempt);
  void answer(std::size_t attempt, Outcome outcome, std::int64_t msg_id, std::int64_t outbox_seq);
  void hung_up(std::size_t attempt);
  void logged_in(const Wire& wire, Micros asked, const client::AuthResp& response);
  void pushed(const Wire& wire, Row row);
  void notified(const Wire& wire, const client::SyncNotify& notify);
  void pulled(const Wire& wire, Micros asked, const client::PullResp& response);

  // How many different messages to the user were acknowledged.
  [[nodiscard]] std::int64_t acknowledged_to(const std::string& uid) const;
  // The largest inbox seq that the device heard of.
  [[nodiscard]] std::int64_t told(const std::string& uid, const std::string& device) const;
  // The longest inbox that anybody pulled from the start.
  [[nodiscard]] std::int64_t inbox_of(const std::string& uid) const;
  // Whether the device heard of the last message of every large group that anybody pulled for this user.
  [[nodiscard]] bool told_of_groups(const std::string& uid, const std::string& device) const;
  // When the device's last login succeeded.
  [[nodiscard]] Micros online_since(const std::string& uid, const std::string& device) const;
  // Since the last call: the longest time without an acknowledgement. Counts from the call on.
  [[nodiscard]] Micros restart_stall();

  [[nodiscard]] History& history() noexcept { return history_; }

 private:
  using Place = std::pair<std::string, std::string>;  // uid, device or client_msg_id

  enum class By : std::uint8_t { kLogin, kPush, kOther };
  void tell(const Wire& wire, Micros asked, std::int64_t inbox_seq, By by);
  void tell_group(const Wire& wire, std::int64_t group_id, std::int64_t group_seq);

  History history_;
  std::map<Place, bool> acknowledged_;
  std::map<std::string, std::int64_t> acknowledged_to_;
  std::map<Place, std::int64_t> told_;
  std::map<Place, std::map<std::int64_t, std::int64_t>> told_groups_;
  std::map<std::string, std::map<std::int64_t, std::int64_t>> group_heads_;  // by user, of what was pulled
  std::map<Place, Micros> online_since_;
  std::map<Place, std::size_t> pulls_;           // index of Pulled
  std::map<std::string, std::int64_t> inboxes_;  // longest pulled
  std::uint64_t connections_ = 0;
  Micros last_ok_ = 0;
  Micros stall_ = 0;
};

}  // namespace hongyan::checker
