#include "logic/group/owned_groups.h"

#include <algorithm>
#include <utility>

namespace hongyan::logic {

GroupOrder& OwnedGroups::order_of(GroupKey key) {
  auto& place = groups_[key];
  if (!place) place = std::make_unique<Held>(parts_, std::move(key));
  place->used_at = context_.now();
  return place->order;
}

void OwnedGroups::take(DeliverWorkPtr group_message) {
  // Only what does not wait for this: it ends without a message being taken here.
  if (lanes_.fan_out_bytes() > static_cast<std::int64_t>(context_.config.max_unfinished_bytes)) {
    group_message->error = {Code::kUnavailable, "too much is waiting for delivery", kRetryMs};
    group_message->outcome = StoreWork::Outcome::kRefused;
    return delivery_.give_back(std::move(group_message));
  }
  GroupOrder& group =
      order_of({.app_id = group_message->user.app_id, .group_id = group_message->message.group_id});
  group.take(std::move(group_message));
}

void OwnedGroups::ask(GroupAsk ask) {
  if (context_.serves(slot_of_group(ask.group.app_id, ask.group.group_id))) {
    return order_of(ask.group).ask(std::move(ask));
  }
  parts_.mailbox.reply(ask.asker, {.number = ask.number, .error = storage_is_away(), .result = {}});
}

void OwnedGroups::redo(std::vector<GroupRedoRow> rows,
                       const std::unordered_map<MsgId, std::vector<Slot>>& pending) {
  std::vector<GroupOrder*> touched;
  for (auto& row : rows) {
    GroupOrder& group = order_of({.app_id = row.app_id, .group_id = row.row.message.group_id});
    if (!group.redoes()) touched.push_back(&group);
    const auto it = pending.find(row.row.placed_id);
    group.redo(std::move(row.row), it == pending.end() ? std::vector<Slot>() : it->second);
  }
  for (GroupOrder* group : touched) group->go_on();
}

void OwnedGroups::finished(std::unique_ptr<GroupWork> work) {
  const auto it = groups_.find({.app_id = work->user.app_id, .group_id = work->group_id});
  if (it == groups_.end() || it->second->order.slot_epoch() != work->slot_epoch) return left(*work);
  GroupOrder& group = it->second->order;
  members_ -= group.members();
  group.finished(*work);
  members_ += group.members();
  if (work->op == GroupWork::Op::kLoad && !group.is_loaded()) unloaded_.push_back(group.key());
  if (group.idle() && group.is_loaded() && !group.exists()) forget(group);
}

void OwnedGroups::left(GroupWork& work) {
  const auto it = std::ranges::find_if(retired_, [&work](const auto& held) {
    const GroupOrder& group = held->order;
    return group.slot_epoch() == work.slot_epoch && group.key().group_id == work.group_id &&
           group.key().app_id == work.user.app_id;
  });
  if (it == retired_.end()) return;  // cannot be: it is at the database
  const auto held = std::move(*it);
  retired_.erase(it);
  held->order.finished(work);
}

void OwnedGroups::leave(const std::function<bool(Slot)>& leaves) {
  for (auto it = groups_.begin(); it != groups_.end();) {
    auto& held = it->second;
    if (!leaves(held->order.slot())) {
      ++it;
      continue;
    }
    members_ -= held->order.members();
    held->order.retire();
    if (held->order.at_database()) retired_.push_back(std::move(held));
    it = groups_.erase(it);
  }
}

void OwnedGroups::tick() {
  outcomes_.tick();
  load_again();
  forget_idle();
}

void OwnedGroups::load_again() {
  for (auto& key : std::exchange(unloaded_, {})) {
    const auto it = groups_.find(key);
    if (it == groups_.end()) continue;
    GroupOrder& group = it->second->order;
    if (group.retry_at() > context_.now()) {
      unloaded_.push_back(std::move(key));
    } else if (group.idle() && !group.is_loaded()) {
      forget(group);
    } else {
      group.go_on();
    }
  }
}

void OwnedGroups::forget(const GroupOrder& group) {
  members_ -= group.members();
  groups_.erase(GroupKey(group.key()));
}

// The longest idle, until a tenth of the room is free.
void OwnedGroups::forget_idle() {
  const std::size_t most = parts_.config.members_in_memory;
  if (held() <= most) return;
  std::vector<const Held*> idle;
  for (const auto& [key, group] : groups_) {
    if (group->order.idle()) idle.push_back(group.get());
  }
  std::ranges::sort(idle, {}, &Held::used_at);
  for (const Held* group : idle) {
    if (held() <= most - most / 10) return;
    forget(group->order);
  }
}

}  // namespace hongyan::logic
