// How the messages of a group get their places.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "logic/group/config.h"
#include "logic/group/fan_out.h"
#include "logic/group/mail.h"
#include "logic/group/outcomes.h"
#include "logic/group/rules.h"
#include "logic/message/delivery.h"
#include "logic/store/group_rows.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// What all groups of a slot thread use.
struct GroupParts {
  ThreadContext& context;
  const GroupConfig& config;
  Delivery& delivery;
  GroupMailbox& mailbox;
  FanOut& fan_out;
  CommandOutcomes& outcomes;
};

// The messages of one group that wait for their place, and the run of them that is at the database: it is
// looked for, when it may be in the order already, and then stored with the group_seqs that follow the
// head. A command is a run of its own: it is decided against what is committed, and its outcome, a
// refusal too, is committed with what it changes.
//
// What has its place (or never will have one) is given back to delivery, fanned out, and finished for the
// group's slot once every member's row is there. One thread.
class Placing {
 public:
  Placing(const GroupParts& parts, const GroupKey& key, Slot slot)
      : parts_(parts),
        key_(key),
        slot_(slot),
        invite_(parse_invite(parts.context.rules_of(key.app_id).group_invite).value_or(Invite::kMembers)) {}

  void take(DeliverWorkPtr group_message) { queue_.push_back(std::move(group_message)); }
  // Nothing waits.
  [[nodiscard]] bool empty() const noexcept { return queue_.empty(); }

  // The next run, when none is at the database: what is to be done there; null: nothing, it is given back
  // already.
  [[nodiscard]] std::unique_ptr<GroupWork> next(const GroupState& group);

  // What came of it. It was looked for: what is not in the order waits again, ahead of all others.
  void found(const GroupWork& work);
  // It has its places. everybody: as FanOut::send().
  void stored(const GroupWork& work, GroupState& group, std::shared_ptr<const Audience>& everybody);
  // It can never be stored.
  void parked(const GroupWork& work);
  // Nothing was stored. It waits again, ahead of all others, and is looked for first when it may be there.
  void not_stored(const GroupWork& work, bool look_for_it);
  // Nobody knows whether it was stored: it is forgotten, neither refused nor tried again.
  void in_doubt() noexcept;

  // All go back to their lanes, so that none overtakes another.
  void refuse_all(const Error& error);
  // The same, but for those at the database.
  void refuse_waiting(const Error& error);
  // The slot has left, and what was at the database came back: what has its place there is fanned out by the slot's next
  // owner.
  void left(const GroupWork& work);

 private:
  void take_run();
  void wait_again(std::vector<DeliverWorkPtr> run);
  [[nodiscard]] std::unique_ptr<GroupWork> messages(const GroupState& group);
  [[nodiscard]] std::unique_ptr<GroupWork> command(const GroupState& group);
  [[nodiscard]] GroupRow row_of(const DeliverWork& group_message, std::int64_t seq);
  void release(const GroupWork& work);
  void give_back(DeliverWorkPtr group_message, StoreWork::Outcome outcome);
  [[nodiscard]] UnfinishedIds& unfinished() { return parts_.context.slots.find(slot_)->unfinished; }

  const GroupParts& parts_;
  const GroupKey& key_;
  const Slot slot_;
  const Invite invite_;
  std::deque<DeliverWorkPtr> queue_;
  std::vector<DeliverWorkPtr> run_;    // at the database
  std::optional<GroupChange> change_;  // of the command that is being stored
};

}  // namespace hongyan::logic
