// One group at its owner.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "logic/group/placing.h"

namespace hongyan::logic {

// Reads the group when something is first wanted of it; then gives out what is to be redone, answers
// questions, and places messages. One piece of work a group is at the database at a time, so that rows
// are numbered here. What cannot be done because the group cannot be read is refused, and tried again
// from retry_at() on. One thread.
class GroupOrder {
 public:
  // parts outlives it. Its slot is held.
  GroupOrder(const GroupParts& parts, GroupKey key);
  GroupOrder(const GroupOrder&) = delete;
  GroupOrder& operator=(const GroupOrder&) = delete;

  // A message for the group. It is given back to delivery.
  void take(DeliverWorkPtr group_message);
  void ask(GroupAsk ask);
  // A message that is not known to be fanned out. pending: its destinations that stand in im_pending.
  // go_on() when all of them are here.
  void redo(GroupRow row, std::vector<Slot> pending);
  void finished(GroupWork& work);
  // With what waits, if it can.
  void go_on();
  // The slot leaves: what waits goes back to where it came from, and what is at the database when it comes back. What it
  // has stored is the next owner's to fan out.
  void retire();

  [[nodiscard]] const GroupKey& key() const noexcept { return key_; }
  [[nodiscard]] Slot slot() const noexcept { return slot_; }
  [[nodiscard]] std::uint64_t slot_epoch() const noexcept { return slot_epoch_; }
  [[nodiscard]] bool at_database() const noexcept { return busy_; }
  [[nodiscard]] bool is_loaded() const noexcept { return loaded_; }
  // Something of it is to be redone.
  [[nodiscard]] bool redoes() const noexcept { return !redo_.empty(); }
  // Nothing of it is under way.
  [[nodiscard]] bool idle() const noexcept {
    return !busy_ && !doubted_ && redo_.empty() && placing_.empty() && asks_.empty();
  }
  [[nodiscard]] bool exists() const noexcept { return state_.exists; }
  [[nodiscard]] std::size_t members() const noexcept { return state_.members.size() + state_.invited.size(); }
  [[nodiscard]] SteadyTime retry_at() const noexcept { return retry_at_; }

 private:
  void load();
  void loaded(GroupWork& work);
  void redo_found(const std::vector<GroupRow>& rows);
  void stored(const GroupWork& work);
  void fan_out_again(const FanOut::Again& again);
  void refuse_all(const Error& error);
  void refuse_asks(const Error& error);
  void submit(std::unique_ptr<GroupWork> work);

  const GroupParts& parts_;
  const GroupKey key_;
  const Slot slot_;
  const std::uint64_t slot_epoch_;
  bool retired_ = false;
  bool loaded_ = false;
  bool busy_ = false;     // something of it is at the database
  bool doubted_ = false;  // the next load looks for messages above the head
  GroupState state_;
  std::vector<GroupMember> history_;  // with who left, for redo_
  std::deque<FanOut::Again> redo_;
  std::deque<GroupAsk> asks_;
  Placing placing_;
  std::shared_ptr<const Audience> audience_;  // null: to be made
  SteadyTime retry_at_{};
};

}  // namespace hongyan::logic
