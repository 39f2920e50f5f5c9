#include "logic/group/followed_groups.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "logic/message/push_bodies.h"

namespace hongyan::logic {

std::optional<std::int64_t> FollowedGroups::head_of(const GroupKey& group) const {
  const auto it = heads_.find(group);
  if (it == heads_.end() || it->second.told_by != context_.owners.owner(it->second.slot)) return {};
  return it->second.seq;
}

std::optional<std::int64_t> FollowedGroups::known_head_of(const GroupKey& group) const {
  const auto it = heads_.find(group);
  if (it == heads_.end()) return {};
  return it->second.seq;
}

void FollowedGroups::learn_head(const GroupKey& group, std::int64_t head, owners::NodeId from) {
  const auto [it, is_new] = heads_.try_emplace(group);
  if (is_new) it->second.slot = slot_of_group(group.app_id, group.group_id);
  it->second.seq = std::max(it->second.seq, head);
  const owners::Owner owner = context_.owners.owner(it->second.slot);
  it->second.told_by = owner.node == from ? owner : owners::Owner{.node = from};
}

void FollowedGroups::follow(const User& user, std::int64_t group_id) {
  const GroupKey key{user.key.app_id, group_id};
  const auto [it, is_new] = online_.try_emplace(key);
  Online& online = it->second;
  if (is_new) online.slot = slot_of_group(key.app_id, group_id);
  online.uids.insert(user.key.uid);
  // Who owns it here tells all slot threads.
  if (context_.owners.elsewhere(online.slot) && !head_of(key)) follow_again(key);
}

void FollowedGroups::follow_again(const GroupKey& key) {
  Online& online = online_.at(key);
  if (std::exchange(online.to_ask, true)) return;
  to_ask_.push_back(key);
}

void FollowedGroups::session_opened(const User& user) {
  for (const std::int64_t group_id : user.groups.large()) {
    if (user.groups.find(group_id)->is_member()) follow(user, group_id);
  }
}

void FollowedGroups::stay_changed(const UserKey& key, std::int64_t group_id) {
  User* user = context_.users.find(key.app_id, key.uid);
  if (user == nullptr || user->sessions.empty()) return;
  const UserGroup* group = user->group(group_id);
  if (group == nullptr || !group->large() || !group->is_member()) return;
  follow(*user, group_id);
  // What was committed since, before this was known here, was pushed to nobody.
  for (auto& session : user->sessions) notify_if_behind(*user, *session, *group);
}

void FollowedGroups::owners_changed(std::span<const Slot> slots) {
  if (online_.empty()) return;
  std::vector<bool> changed(kSlotCount);
  for (const Slot slot : slots) changed[slot] = true;
  for (auto& [key, online] : online_) {
    if (changed[online.slot]) follow_again(key);
  }
}

void FollowedGroups::tick() {
  timers_.run([this](const Awaited& awaited) { due(awaited); });
  for (std::size_t n = std::min(to_ask_.size(), kFollowedATick); n > 0; --n) {
    const GroupKey key = std::move(to_ask_.front());
    to_ask_.pop_front();
    const auto it = online_.find(key);
    if (it == online_.end()) continue;
    it->second.to_ask = false;
    if (head_of(key)) continue;
    GroupAsk ask;
    ask.group = key;
    ask.with_group = false;
    ask.follow = true;
    asks_.ask(std::move(ask), [this, key](const GroupReply& reply) {
      const auto now = online_.find(key);
      if (reply.error.code == Code::kOk) learn_head(key, reply.head, reply.from);
      if (now == online_.end()) return;
      if (!head_of(key)) return follow_again(key);
      for (const auto& uid : now->second.uids) {
        User* user = context_.users.find(key.app_id, uid);
        const UserGroup* group = user == nullptr ? nullptr : user->group(key.group_id);
        if (group == nullptr || !group->is_member()) continue;
        for (auto& session : user->sessions) notify_if_behind(*user, *session, *group);
      }
    });
  }
}

void FollowedGroups::push_to(const GroupBroadcast& message, User& user) {
  if (message.members > 0) {
    if (UserGroup* group = user.group(message.group.group_id)) group->members = message.members;
  }
  for (const auto& session : user.sessions) {
    pushes_.add(*session, user.slot);
    pushed(*session, message.group.group_id, message.group_seq);
  }
}

void FollowedGroups::send_pushes(const GroupBroadcast& message) {
  // Who did not get it is told to pull when no acknowledgement has come.
  pushes_.send(context_.counters, message.cmd_id, *message.body, 0, [](std::uint64_t) {});
}

void FollowedGroups::heard(owners::NodeId from, const GroupBroadcast& message) {
  const Slot slot = slot_of_group(message.group.app_id, message.group.group_id);
  if (context_.owners.owner(slot).node != from) return;
  // Also when nobody is online: who comes trusts what is known.
  learn_head(message.group, message.group_seq, from);
  const auto it = online_.find(message.group);
  if (it == online_.end()) return;
  Online& online = it->second;
  const auto among = [](const std::vector<std::string>& uids, const std::string& uid) {
    return std::ranges::find(uids, uid) != uids.end();
  };
  for (auto uid = online.uids.begin(); uid != online.uids.end();) {
    User* user = context_.users.find(message.group.app_id, *uid);
    const UserGroup* group = user == nullptr ? nullptr : user->group(message.group.group_id);
    const bool member = group != nullptr && group->is_member() && !among(message.left, *uid);
    if (!member || user->sessions.empty()) {
      uid = online.uids.erase(uid);
      continue;
    }
    if (!among(message.joined, *uid)) push_to(message, *user);
    ++uid;
  }
  if (online.uids.empty() && !online.to_ask) online_.erase(it);
  send_pushes(message);
}

void FollowedGroups::forget_heads(const std::function<bool(Slot)>& of) {
  std::erase_if(heads_,
                [&of](const auto& one) { return of(slot_of_group(one.first.app_id, one.first.group_id)); });
}

void FollowedGroups::committed(const GroupBroadcast& message) {
  learn_head(message.group, message.group_seq, SlotOwners::kHere);
  for (const auto& uid : message.audience->of_thread[context_.index]) {
    User* user = context_.users.find(message.group.app_id, uid);
    if (user != nullptr) push_to(message, *user);
  }
  send_pushes(message);
}

void FollowedGroups::pushed(Session& session, std::int64_t group_id, std::int64_t seq) {
  std::int64_t& last = session.group_pushes[group_id];
  if (last == 0) {
    timers_.start({.session = session.number, .group_id = group_id, .seq = seq});
  }
  last = seq;
}

void FollowedGroups::due(const Awaited& awaited) {
  const auto [user, session] = acks_.find(awaited.session);
  if (session == nullptr) return;
  const std::int64_t last = std::exchange(session->group_pushes[awaited.group_id], 0);
  session->group_pushes.erase(awaited.group_id);
  const UserGroup* group = user->group(awaited.group_id);
  const std::int64_t held = group == nullptr ? 0 : group->cursor(session->device_class);
  if (held >= last) return;
  if (held >= awaited.seq) return pushed(*session, awaited.group_id, last);
  context_.counters.resent.add();
  acks_.sync_notify(*user, *session, awaited.group_id, last);
}

void FollowedGroups::notify_if_behind(const User& user, Session& session, const UserGroup& group) {
  const std::int64_t group_id = group.membership().group_id;
  const auto head = head_of({user.key.app_id, group_id});
  if (head && *head > group.cursor(session.device_class)) acks_.sync_notify(user, session, group_id, *head);
}

void FollowedGroups::catch_up(const User& user, Session& session) {
  for (const std::int64_t group_id : user.groups.large()) {
    const UserGroup& group = *user.groups.find(group_id);
    if (!group.is_member()) continue;
    follow(user, group_id);
    const GroupKey key{user.key.app_id, group_id};
    if (head_of(key)) {
      notify_if_behind(user, session, group);
      continue;
    }
    GroupAsk ask;
    ask.group = key;
    ask.with_group = false;
    ask.follow = true;
    asks_.ask(std::move(ask), [this, key, number = session.number](const GroupReply& reply) {
      const auto [there, still] = acks_.find(number);
      if (reply.error.code == Code::kOk) learn_head(key, reply.head, reply.from);
      if (still == nullptr) return;
      const UserGroup* mine = there->group(key.group_id);
      if (mine == nullptr) return;
      if (head_of(key)) return notify_if_behind(*there, *still, *mine);
      pushed(*still, key.group_id, mine->cursor(still->device_class) + 1);  // perhaps: it pulls, and sees
    });
  }
}

void FollowedGroups::acked(User& user, DeviceClass device_class, std::int64_t group_id, std::int64_t seq) {
  UserGroup* group = user.group(group_id);
  const bool good =
      group != nullptr && group->large() &&
      cursors_.acked_group(user, *group, device_class, seq, known_head_of({user.key.app_id, group_id}));
  if (!good) context_.counters.bad_acks.add();
}

void FollowedGroups::pull(User& user, std::shared_ptr<Pull> pull) {
  collect(user, pull, std::make_shared<std::vector<Part>>(), 0);
}

void FollowedGroups::collect(User& user, const std::shared_ptr<Pull>& pull, const Parts& parts,
                             std::int64_t above) {
  const auto& large = user.groups.large();
  auto it = large.upper_bound(above);
  for (std::size_t n = 0; n < kGroupsOfATurn && it != large.end(); ++n, ++it) {
    above = *it;
    consider(user, *pull, above, *parts);
  }
  if (it == large.end()) return go_on(pull, parts);
  context_.later([this, &user, pull, parts, above] { collect(user, pull, parts, above); });
}

void FollowedGroups::consider(User& user, Pull& pull, std::int64_t group_id, std::vector<Part>& parts) {
  const UserGroup& group = *user.group(group_id);
  std::int64_t held = group.cursor(pull.device_class);
  const auto named = pull.offsets.find(group_id);
  if (named != pull.offsets.end() && named->second >= 0) {
    // A device that holds less than another of its class did is no mistake, and acknowledges nothing.
    if (named->second > held) acked(user, pull.device_class, group_id, named->second);
    held = named->second;
  } else if (!pull.inbox_ends) {
    return;
  }
  const auto readable = group.readable_after(held);
  if (!readable) return;
  Part part{.group = {.app_id = user.key.app_id, .group_id = group_id},
            .after = std::max(held, readable->first - 1),
            .last = readable->last};
  if (context_.shards.of(slot_of_group(part.group.app_id, group_id)).down()) return left_out(pull, part);
  parts.push_back(std::move(part));
}

void FollowedGroups::go_on(const std::shared_ptr<Pull>& pull, const Parts& parts) {
  if (parts->empty()) return pull->done();
  const auto unknown = std::make_shared<std::size_t>(1);
  const auto next = [this, pull, parts, unknown] {
    if (--*unknown == 0) read(pull, parts, 0);
  };
  for (const Part& part : *parts) {
    if (head_of(part.group)) continue;
    ++*unknown;
    GroupAsk ask;
    ask.group = part.group;
    ask.with_group = false;
    ask.follow = true;
    asks_.ask(std::move(ask), [this, next, group = part.group](const GroupReply& reply) {
      if (reply.error.code == Code::kOk) learn_head(group, reply.head, reply.from);
      next();
    });
  }
  next();
}

// As of a push that was not acknowledged.
void FollowedGroups::left_out(const Pull& pull, const Part& part) {
  const auto [user, session] = acks_.find(pull.session);
  if (session == nullptr) return;
  const UserGroup* group = user->group(part.group.group_id);
  const std::int64_t held = group == nullptr ? 0 : group->cursor(session->device_class);
  pushed(*session, part.group.group_id,
         std::max(std::max(part.after, held) + 1, known_head_of(part.group).value_or(0)));
}

void FollowedGroups::read(const std::shared_ptr<Pull>& pull, const std::shared_ptr<std::vector<Part>>& parts,
                          std::size_t index) {
  for (; index < parts->size() && pull->limit > 0 && pull->bytes_left > 0; ++index) {
    const Part& part = (*parts)[index];
    const auto head = head_of(part.group);
    if (!head) {
      left_out(*pull, part);
      continue;
    }
    const std::int64_t up_to = std::min(*head, part.last);
    if (part.after >= up_to) continue;
    const PageKey key{.group = part.group,
                      .after = part.after,
                      .up_to = up_to,
                      .limit = pull->limit,
                      .bytes = pull->bytes_left};
    return read_page(key, [this, pull, parts, index, head](const PageRows& rows) {
      if (!rows) {
        log::warn("group", "cannot read group={} reason={}", (*parts)[index].group.group_id,
                  rows.error().message);
        left_out(*pull, (*parts)[index]);
      } else if (!rows->empty()) {
        client::GroupPage& page = *pull->response->add_groups();
        page.set_group_id((*parts)[index].group.group_id);
        page.set_head_seq(*head);
        pull->limit -= std::min(pull->limit, rows->size());
        const std::size_t bytes = append_page(*page.mutable_msg(), *rows);
        pull->bytes_left -= std::min(pull->bytes_left, bytes);
      }
      read(pull, parts, index + 1);
    });
  }
  pull->done();
}

void FollowedGroups::read_page(const PageKey& key, OnPage then) {
  auto& waiting = reading_[key];
  waiting.push_back(std::move(then));
  if (waiting.size() > 1) return;
  Shard& shard = context_.shards.of(slot_of_group(key.group.app_id, key.group.group_id));
  shard.read_group(key.group.app_id, key.group.group_id, key.after, key.up_to, key.limit, key.bytes,
                   [this, key](PageRows read_rows) {
                     auto rows = std::make_shared<PageRows>(std::move(read_rows));
                     context_.later([this, key, rows] {
                       auto all = reading_.extract(key);
                       for (const auto& one : all.mapped()) one(*rows);
                     });
                   });
}

}  // namespace hongyan::logic
