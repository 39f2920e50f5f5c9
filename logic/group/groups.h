// The owner's side of groups: their order, their members, their fan-out.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "logic/group/fan_out.h"
#include "logic/group/mail.h"
#include "logic/group/rules.h"
#include "logic/message/delivery.h"
#include "logic/message/lane.h"
#include "logic/store/group_rows.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// The groups of one slot thread's slots. One thread.
//
// A message comes from its sender's slot by a lane, in order, and is given back once it has its place: it
// then stands in im_group_message, and this slot is responsible for it until every member's inbox row is
// committed (of a large group: nothing more). One piece of work a group is at the database at a time, so rows
// are numbered here.
//
// A group that does not exist is held only while somebody asks about it.
//
// A command is decided here, against what is committed; its outcome, a refusal too, is committed with what it
// changes. It is answered when the rows of its members are there, or after kAnswerPatience.
class Groups {
 public:
  static constexpr Milliseconds kAnswerPatience{2000};
  // A group without its members takes as much memory as so many of them.
  static constexpr std::size_t kGroupWeight = 20;

  Groups(ThreadContext& context, Lanes& lanes, Delivery& delivery, GroupMailbox& mailbox)
      : context_(context),
        lanes_(lanes),
        delivery_(delivery),
        mailbox_(mailbox),
        fan_out_(context, lanes, mailbox) {}

  // A message for a group of this thread. It is given back to delivery.
  void take(DeliverWorkPtr post);
  void ask(GroupAsk ask);
  void finished(std::unique_ptr<GroupWork> work);

  // After the slots were acquired, before anything new: what is not known to be fanned out, by placed_id.
  // pending: destinations that stand in im_pending, by id.
  void redo(std::vector<GroupRedoRow> rows, const std::unordered_map<MsgId, std::vector<Slot>>& pending);
  // Every member's row of this message is committed.
  void fanned_out(MsgId placed_id);
  void tick();

  [[nodiscard]] std::size_t size() const noexcept { return groups_.size(); }

 private:
  struct Group {
    GroupKey key;
    Slot slot = 0;
    bool loaded = false;
    bool busy = false;     // something of it is at the database
    bool doubted = false;  // the next load looks for messages above the head
    GroupState state;
    std::vector<GroupMember> history;  // with who left, for `redo`
    std::deque<FanOut::Again> redo;
    std::deque<DeliverWorkPtr> queue;
    std::vector<DeliverWorkPtr> placing;  // being stored, or looked for
    std::optional<GroupChange> change;    // of the command being stored
    std::deque<GroupAsk> asks;
    std::shared_ptr<const Audience> audience;  // null: to be made
    SteadyTime retry_at{};
    SteadyTime used_at{};

    [[nodiscard]] FanOut::Group view() const noexcept { return {key, slot, state}; }
    [[nodiscard]] bool idle() const noexcept {
      return !busy && !doubted && redo.empty() && queue.empty() && asks.empty();
    }
  };
  struct Waiting {
    std::uint32_t thread = 0;
    CtrlAnswer answer;
    SteadyTime until;
  };

  [[nodiscard]] Group& group_of(const GroupKey& key);
  void pump(Group& group);
  void submit(Group& group, std::unique_ptr<GroupWork> work);
  [[nodiscard]] std::unique_ptr<GroupWork> work_for(Group& group, GroupWork::Op op);

  void loaded(Group& group, GroupWork& work);
  void redo_found(Group& group, const std::vector<GroupRow>& rows);
  void found(Group& group, const GroupWork& work);
  void stored(Group& group, GroupWork& work);
  void place_messages(Group& group);
  void place_command(Group& group);
  [[nodiscard]] GroupRow row_of(Group& group, const DeliverWork& post, std::int64_t seq);
  void take_run(Group& group);
  void drop_rows(Group& group, const GroupWork& work);
  void give_back(DeliverWorkPtr post, StoreWork::Outcome outcome);
  void refuse_all(Group& group, const Error& error);

  void fan_out_again(Group& group, const FanOut::Again& again);
  void answer(const DeliverWork& post, CtrlAnswer answer, MsgId placed_id);
  void reply(Group& group, GroupAsk& ask);
  void mail_to(std::uint32_t thread, auto GroupMail::* part, auto item);
  void load_again();
  void forget(const Group& group);
  void forget_idle();
  [[nodiscard]] std::size_t held() const noexcept { return members_ + groups_.size() * kGroupWeight; }

  ThreadContext& context_;
  const Lanes& lanes_;
  Delivery& delivery_;
  GroupMailbox& mailbox_;
  FanOut fan_out_;
  std::unordered_map<GroupKey, std::unique_ptr<Group>, GroupKeyHash> groups_;
  std::vector<GroupKey> unloaded_;              // could not be read; again at retry_at
  std::unordered_map<MsgId, Waiting> waiting_;  // by placed_id
  std::size_t members_ = 0;                     // of all groups held
};

}  // namespace hongyan::logic
