#include "logic/group/order.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "logic/group/replies.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kLoadAgain{500};

using Outcome = StoreWork::Outcome;

}  // namespace

GroupOrder::GroupOrder(const GroupParts& parts, GroupKey key)
    : parts_(parts),
      key_(std::move(key)),
      slot_(slot_of_group(key_.app_id, key_.group_id)),
      slot_epoch_(parts.context.slots.find(slot_)->epoch),
      placing_(parts, key_, slot_) {}

void GroupOrder::take(DeliverWorkPtr group_message) {
  placing_.take(std::move(group_message));
  go_on();
}

void GroupOrder::ask(GroupAsk ask) {
  asks_.push_back(std::move(ask));
  go_on();
}

void GroupOrder::redo(GroupRow row, std::vector<Slot> pending) {
  SlotState& slot = *parts_.context.slots.find(slot_);
  const bool all = row.placed_id > slot.mark_written;
  // Holds the id until its members are known.
  if (all) slot.unfinished.add(row.placed_id);
  loaded_ = false;  // with who left since
  redo_.push_back({.row = std::move(row), .all = all, .destinations = std::move(pending)});
}

void GroupOrder::go_on() {
  while (!busy_ && !idle()) {
    if (!loaded_) {
      if (parts_.context.now() >= retry_at_) load();
      return;
    }
    for (; !redo_.empty(); redo_.pop_front()) fan_out_again(redo_.front());
    history_.clear();
    for (; !asks_.empty(); asks_.pop_front()) {
      parts_.mailbox.reply(asks_.front().asker, reply_to(asks_.front(), state_));
    }
    if (placing_.empty()) return;
    if (auto work = placing_.next(state_)) submit(std::move(work));
  }
}

void GroupOrder::load() {
  auto work = std::make_unique<GroupWork>(GroupWork::Op::kLoad);
  const auto with_those_of = [&work](std::int64_t group_seq) {
    work->left_since = work->left_since == 0 ? group_seq : std::min(work->left_since, group_seq);
  };
  for (const auto& again : redo_) with_those_of(again.row.message.group_seq);
  if (doubted_) {
    work->rows_after = state_.head;
    with_those_of(state_.head + 1);
  }
  submit(std::move(work));
}

void GroupOrder::submit(std::unique_ptr<GroupWork> work) {
  busy_ = true;
  work->user.app_id = key_.app_id;
  work->group_id = key_.group_id;
  work->slot = slot_;
  work->slot_epoch = slot_epoch_;
  work->thread = parts_.context.index;
  work->deadline = parts_.context.now() + parts_.context.config.accept_deadline;
  parts_.context.shards.of(slot_).submit(std::move(work));
}

void GroupOrder::retire() {
  retired_ = true;
  redo_.clear();
  placing_.refuse_waiting(storage_is_away());
  refuse_asks(storage_is_away());
}

void GroupOrder::finished(GroupWork& work) {
  busy_ = false;
  if (retired_) return placing_.left(work);
  switch (work.op) {
    case GroupWork::Op::kLoad:
      loaded(work);
      break;
    case GroupWork::Op::kFind:
      if (work.outcome == Outcome::kStored) {
        placing_.found(work);
      } else {
        refuse_all(work.error);
      }
      break;
    case GroupWork::Op::kStore:
      stored(work);
      break;
  }
  go_on();
}

void GroupOrder::loaded(GroupWork& work) {
  if (work.outcome != Outcome::kStored) {
    retry_at_ = parts_.context.now() + kLoadAgain;
    return refuse_all(work.error);
  }
  if (doubted_) redo_found(work.rows);
  loaded_ = true;
  audience_.reset();
  state_ = {.exists = work.found, .info = {}, .head = work.head, .members = {}, .invited = {}};
  if (work.info) state_.info = std::move(*work.info);
  for (const auto& member : work.members) {
    if (member.left_seq == 0) state_.members.emplace(member.uid, member.joined_seq);
  }
  for (const auto& invite : work.invites) state_.invited.emplace(invite.uid, invite.invited_seq);
  if (!redo_.empty()) history_ = std::move(work.members);
}

// What stands above the head that was known here was not written by this owner, or not as far as it knew.
void GroupOrder::redo_found(const std::vector<GroupRow>& rows) {
  doubted_ = false;
  if (rows.empty()) return;
  log::error("group",
             "the order holds messages that its owner did not place app={} group={} from={} count={}",
             key_.app_id, key_.group_id, rows.front().message.group_seq, rows.size());
  for (const auto& row : rows) {
    parts_.context.slots.find(slot_)->unfinished.add(row.placed_id);
    redo_.push_back({.row = row, .all = true, .destinations = {}});
  }
}

void GroupOrder::stored(const GroupWork& work) {
  switch (work.outcome) {
    case Outcome::kStored:
    case Outcome::kExists:
      return placing_.stored(work, state_, audience_);
    case Outcome::kParked:
      return placing_.parked(work);
    case Outcome::kRefused:
    case Outcome::kPending:
      break;
  }
  // Of unknown outcome: the process ends, and its successor finds out.
  if (work.error.code == Code::kDeadlineExceeded) return placing_.in_doubt();
  const bool is_taken = work.error.code == Code::kAlreadyExists;
  placing_.not_stored(work, is_taken);
  if (!is_taken) return refuse_all(work.error);
  doubted_ = true;
  loaded_ = false;
}

void GroupOrder::fan_out_again(const FanOut::Again& again) {
  parts_.fan_out.send_again({key_, slot_, state_}, history_, again);
  if (again.all) parts_.context.slots.find(slot_)->unfinished.release(again.row.placed_id);
  parts_.context.slots.touch(slot_);
}

void GroupOrder::refuse_all(const Error& error) {
  placing_.refuse_all(error);
  refuse_asks(error);
}

void GroupOrder::refuse_asks(const Error& error) {
  for (const auto& ask : std::exchange(asks_, {})) {
    parts_.mailbox.reply(ask.asker, {.number = ask.number, .error = error, .result = {}});
  }
}

}  // namespace hongyan::logic
