#include "logic/group/fan_out.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "logic/message/group_key.h"
#include "logic/message/push_bodies.h"
#include "proto/parse.h"

namespace hongyan::logic {

namespace {

// The row's content for somebody whose own part it changes; null: as all others get it.
SharedBytes content_for(const client::GroupOp* told, const std::string& uid, bool changes) {
  if (told == nullptr || !changes || told->member_count() == 0) return nullptr;
  return share(told_to(*told, uid).SerializeAsString());
}

}  // namespace

void FanOut::add(const Group& group, const GroupRow& row, const std::string& uid, ToMember what) {
  auto work = deliver_to_member(group.key.app_id, row, uid);
  work->lookup_first = what.lookup_first;
  work->membership = std::move(what.membership);
  work->group_members = static_cast<std::int64_t>(what.members);
  if (what.content) {
    work->message.content = std::move(what.content);
    work->own_content = true;
  }
  lanes_.add(group.slot, std::move(work));
}

void FanOut::invite(const Group& group, const GroupRow& row, const std::string& uid, bool lookup_first) {
  GroupRow mine = row;
  mine.message.type = client::CTRL_TYPE_INVITE_MEMBERS;
  add(group, mine, uid,
      {.lookup_first = lookup_first,
       .membership = {},
       .content = share(invitation_of(group.state.info, uid).SerializeAsString())});
}

void FanOut::send(const Group& group, const GroupRow& row, const GroupChange* change,
                  std::shared_ptr<const Audience>& everybody) {
  const GroupState& state = group.state;
  UnfinishedIds& unfinished = context_.slots.find(group.slot)->unfinished;
  const bool turned_large = change != nullptr && state.info.large_from_seq == row.message.group_seq + 1;
  const bool dissolved = change != nullptr && change->all_left;
  const auto leaves = [&](const std::string& uid) {
    return dissolved || (change != nullptr && std::ranges::binary_search(change->left, uid));
  };
  const auto part_changes = [&](const std::string& uid, std::int64_t joined) {
    return joined == row.message.group_seq || leaves(uid);
  };
  const std::size_t members = change == nullptr || dissolved ? 0 : state.members.size() - change->left.size();
  const bool for_inboxes = !state.large_at(row.message.group_seq) || dissolved;
  for (const auto& [uid, joined] : state.members) {
    if (!for_inboxes && change == nullptr) break;
    const bool changes = part_changes(uid, joined);
    if (!for_inboxes && !changes) continue;
    std::optional<Membership> membership;
    if (changes || turned_large) {
      membership = Membership{.group_id = group.key.group_id,
                              .changed_seq = row.message.group_seq,
                              .joined_seq = joined,
                              .left_seq = leaves(uid) ? row.message.group_seq : 0,
                              .large_from_seq = state.info.large_from_seq};
    }
    unfinished.add(row.placed_id);
    add(group, row, uid,
        {.membership = membership,
         .members = members,
         .content = content_for(change == nullptr ? nullptr : &change->told, uid, changes)});
  }
  if (change != nullptr) {
    for (const auto& uid : change->invited) {
      unfinished.add(row.placed_id);
      invite(group, row, uid, false);
    }
  }
  if (for_inboxes) return;
  if (change == nullptr || (change->joined.empty() && change->left.empty())) {
    if (!everybody) everybody = audience_of(group, [](const std::string&) { return true; });
    return broadcast(group.key, row, everybody, members, {});
  }
  const auto others = audience_of(
      group, [&](const std::string& uid) { return !part_changes(uid, state.members.find(uid)->second); });
  broadcast(group.key, row, others, members, {.joined = change->joined, .left = change->left});
}

// As it is by now, if it has ended since: what was forgotten with its end does not come back.
Membership FanOut::stay_of(const Group& group, const GroupMember& member, std::int64_t seq) {
  const std::int64_t known = std::max(seq, member.left_seq);
  const std::int64_t large_from = group.state.info.large_from_seq;
  return {.group_id = group.key.group_id,
          .changed_seq = known,
          .joined_seq = member.joined_seq,
          .left_seq = member.left_seq,
          .large_from_seq = large_from <= known + 1 ? large_from : 0};
}

void FanOut::send_again(const Group& group, const std::vector<GroupMember>& history, const Again& again) {
  const GroupRow& row = again.row;
  const GroupState& state = group.state;
  const std::int64_t seq = row.message.group_seq;
  UnfinishedIds& unfinished = context_.slots.find(group.slot)->unfinished;
  const bool large = state.large_at(seq) && state.info.dissolved_seq != seq;
  client::GroupOp told;
  const bool is_command = is_group_command(row.message.command) && parse(told, *row.message.content);
  const std::size_t members = is_command ? state.members.size() : 0;
  std::set<std::string_view> hear;
  Parted parted;
  const auto takes = [&](const std::string& uid) {
    const Slot destination = slot_of(group.key.app_id, uid);
    const bool pending = std::ranges::find(again.destinations, destination) != again.destinations.end();
    if (pending) {
      unfinished.add_pending(row.placed_id, destination);
    } else if (again.all) {
      unfinished.add(row.placed_id);
    }
    return pending || again.all;
  };
  for (const auto& [uid, invited_seq] : state.invited) {
    if (invited_seq == seq && takes(uid)) invite(group, row, uid, true);
  }
  for (const auto& member : history) {
    if (member.joined_seq > seq || (member.left_seq != 0 && member.left_seq < seq)) continue;
    const bool left = member.left_seq == seq;
    const bool changes = member.joined_seq == seq || left;
    if (large && !changes) {
      hear.insert(member.uid);
      continue;
    }
    (left ? parted.left : parted.joined).push_back(member.uid);
    if (!takes(member.uid)) continue;
    std::optional<Membership> membership;
    if (changes || state.info.large_from_seq == seq + 1) {
      membership = stay_of(group, member, seq);
    }
    add(group, row, member.uid,
        {.lookup_first = true,
         .membership = membership,
         .members = members,
         .content = content_for(is_command ? &told : nullptr, member.uid, changes)});
  }
  if (!hear.empty()) {
    const auto those = audience_of(group, [&hear](const std::string& uid) { return hear.contains(uid); });
    broadcast(group.key, row, those, members, parted);
  }
}

std::shared_ptr<const Audience> FanOut::audience_of(
    const Group& group, const std::function<bool(const std::string& uid)>& hears) const {
  auto audience = std::make_shared<Audience>();
  audience->of_thread.resize(context_.thread_count);
  for (const auto& [uid, joined] : group.state.members) {
    if (hears(uid)) audience->of_thread[context_.thread_of(slot_of(group.key.app_id, uid))].push_back(uid);
  }
  return audience;
}

void FanOut::broadcast(const GroupKey& key, const GroupRow& row,
                       const std::shared_ptr<const Audience>& audience, std::size_t members,
                       const Parted& parted) {
  GroupBroadcast message{.group = key,
                         .group_seq = row.message.group_seq,
                         .msg_id = row.message.id,
                         .cmd_id = push_command(row.message.command),
                         .body = group_push_body(row.message),
                         .audience = audience,
                         .members = members};
  message.joined = parted.joined;
  message.left = parted.left;
  mailbox_.broadcast(std::move(message));
}

}  // namespace hongyan::logic
