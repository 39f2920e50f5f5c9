// The owner's side of groups: those whose slots are a slot thread's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "logic/group/order.h"
#include "logic/message/lane.h"

namespace hongyan::logic {

// The groups of one slot thread's slots. One thread.
//
// A message comes from its sender's slot by a lane, in order, and is given back once it has its place: it
// then stands in im_group_message, and this slot is responsible for it until every member's inbox row is
// committed (of a large group: nothing more).
//
// A group is held while something of it is under way, and longer while there is room: the longest idle is
// forgotten first. One that does not exist is held only while somebody asks about it.
class OwnedGroups {
 public:
  // A group without its members takes as much memory as so many of them.
  static constexpr std::size_t kGroupWeight = 20;

  OwnedGroups(ThreadContext& context, const GroupConfig& config, Lanes& lanes, Delivery& delivery,
              GroupMailbox& mailbox)
      : context_(context),
        lanes_(lanes),
        delivery_(delivery),
        fan_out_(context, lanes, mailbox),
        outcomes_(context, mailbox),
        parts_{.context = context,
               .config = config,
               .delivery = delivery,
               .mailbox = mailbox,
               .fan_out = fan_out_,
               .outcomes = outcomes_} {}

  // A message for a group of a slot that is held. It is given back to delivery.
  void take(DeliverWorkPtr group_message);
  void ask(GroupAsk ask);
  void finished(std::unique_ptr<GroupWork> work);

  // After the slots were acquired, before anything new: what is not known to be fanned out, by placed_id.
  // pending: destinations that stand in im_pending, by id.
  void redo(std::vector<GroupRedoRow> rows, const std::unordered_map<MsgId, std::vector<Slot>>& pending);
  // The slots leave.
  void leave(const std::function<bool(Slot)>& leaves);
  // Every member's row of this message is committed.
  void fanned_out(MsgId placed_id) { outcomes_.fanned_out(placed_id); }
  void tick();

  [[nodiscard]] std::size_t size() const noexcept { return groups_.size(); }
  [[nodiscard]] std::size_t retired() const noexcept { return retired_.size(); }

 private:
  struct Held {
    Held(const GroupParts& parts, GroupKey key) : order(parts, std::move(key)) {}
    GroupOrder order;
    SteadyTime used_at{};
  };
  [[nodiscard]] GroupOrder& order_of(GroupKey key);
  void load_again();
  // It comes back to a group whose slot has left.
  void left(GroupWork& work);
  void forget(const GroupOrder& group);
  void forget_idle();
  [[nodiscard]] std::size_t held() const noexcept { return members_ + groups_.size() * kGroupWeight; }

  ThreadContext& context_;
  const Lanes& lanes_;
  Delivery& delivery_;
  FanOut fan_out_;
  CommandOutcomes outcomes_;
  const GroupParts parts_;
  std::unordered_map<GroupKey, std::unique_ptr<Held>, GroupKeyHash> groups_;
  std::vector<std::unique_ptr<Held>> retired_;  // of slots that have left: something is at the database
  std::vector<GroupKey> unloaded_;              // could not be read; again at their retry_at()
  std::size_t members_ = 0;                     // of all groups held
};

}  // namespace hongyan::logic
