// Messages on their way in: what is held, the gap rule for pushes, pull until nothing is left.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "client/cpp/large_groups.h"
#include "client/cpp/outputs.h"
#include "client/cpp/pace.h"
#include "client/cpp/send_queue.h"
#include "common/base/backoff.h"

namespace hongyan::client {

// Subscribe (AUTH) first, then pull, and drop what overlaps. A push at or below what is held is acknowledged
// and discarded; the next one is delivered, then acknowledged; one above leaves a hole: it is not
// acknowledged, and a pull fetches the hole and the push. Pages of a pull are taken as they come: their jumps
// are what the server archived. Each pull's offset acknowledges what is held.
//
// Large groups, whose messages have no inbox seq, are followed by the same rule, each by its group_seq
// (client/cpp/large_groups.h).
//
// With CoreOptions::receive_sent the outbox is followed by the same rule. What this client sent itself only
// moves the held seq, and so does what went to a group, because it comes by the inbox or by the group.
//
// Pure; lives in ClientCore, on its thread.
class Inbox {
 public:
  // options, outputs, pace, sends, random: outlive the inbox.
  Inbox(const CoreOptions& options, Outputs& outputs, Pace& pace, const SendQueue& sends,
        const Random& random);

  void on_online(const AuthResp& auth, SteadyTime now);
  void on_offline();

  // False when the body does not parse.
  bool on_push(Command command, std::string_view body, SteadyTime now);
  void on_sync_notify(const SyncNotify& notify, SteadyTime now);
  // False when nobody waits for it.
  bool on_pull_response(std::uint32_t seq, const PullResp& response, SteadyTime now);
  // An own send was stored.
  void on_sent(Command command, const SendReceipt& receipt, SteadyTime now);
  void on_time(SteadyTime now);

  // Pulls once more; an output::Synced follows.
  void pull(SteadyTime now);
  // For how long nothing may be seen of the page that is awaited; 0: of none.
  [[nodiscard]] Milliseconds page_patience() const noexcept {
    return pull_in_flight() ? page_size_.patience() : Milliseconds(0);
  }
  // That time is over.
  void page_did_not_come() noexcept;

  [[nodiscard]] SteadyTime next_wake() const noexcept;
  [[nodiscard]] bool pull_in_flight() const noexcept { return pull_seq_ != 0; }
  [[nodiscard]] bool synced() const noexcept { return synced_; }
  [[nodiscard]] HeldSeqs held() const noexcept { return {inbox_.value_or(0), outbox_.value_or(0)}; }
  [[nodiscard]] const GroupSeqs& held_groups() const noexcept { return groups_.held(); }

 private:
  void take_stored(Message message, Command command, SteadyTime now);
  void take_of_group(Message message, Command command, SteadyTime now);
  void take_sent(Message message, SteadyTime now);
  void take_page(const PullResp& response);
  void take_late_page(const PullResp& response);
  void take_sent_page(const PullResp& response);
  void take_group_page(const GroupPage& page);
  void take_head(const GroupPage& page);
  void deliver(Message message);
  void deliver_of_group(Message message);
  void deliver_sent(Message message);
  void finish_page(const PullResp& response, SteadyTime now);
  void reset_to_head(const PullResp& response);
  void retry_pull(Milliseconds at_least, SteadyTime now);
  void skip_own_sent();
  void moved();
  void acknowledge(Command command, const PushAck& ack);

  const CoreOptions& options_;
  Outputs& outputs_;
  Pace& pace_;
  const SendQueue& sends_;
  Backoff backoff_;

  bool online_ = false;
  bool synced_ = false;
  std::optional<std::int64_t> inbox_;   // held; absent until the first AUTH says where to begin
  std::optional<std::int64_t> outbox_;  // the same; followed only with receive_sent
  std::int64_t head_at_auth_ = 0;
  std::int64_t outbox_head_at_auth_ = 0;
  std::set<std::int64_t> own_sent_;    // outbox seqs above outbox_ that this client sent
  std::set<std::int64_t> own_groups_;  // the newest msg_ids that this client sent to groups
  LargeGroups groups_;
  int fruitless_ = 0;  // pulls in a row that did not fill a hole of a group
  HeldSeqs reported_;
  std::int64_t seen_ = 0;  // the highest inbox seq pushed on this connection

  PageSize page_size_;
  std::uint32_t pull_seq_ = 0;  // of the one pull in flight; 0: none
  std::uint32_t late_seq_ = 0;  // of one whose answer was overdue, and is welcome all the same
  bool pull_again_ = false;     // something came since it was asked
  Pace::Mark pulled_;
  HeldSeqs pulled_from_;
  std::optional<SteadyTime> retry_at_;
};

}  // namespace hongyan::client
