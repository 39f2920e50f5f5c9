#include "logic/group/rules.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "logic/user/check_id.h"

namespace hongyan::logic {

namespace {

enum class Who : std::uint8_t { kAnyone, kMember, kOwner, kInvited };

struct Right {
  client::CtrlType type;
  Who who;
};

// The one place that says who may do what.
constexpr std::array kRights = {
    Right{client::CTRL_TYPE_CREATE_GROUP, Who::kAnyone},
    Right{client::CTRL_TYPE_ADD_MEMBERS, Who::kMember},
    Right{client::CTRL_TYPE_EXIT_GROUP, Who::kMember},
    Right{client::CTRL_TYPE_DELETE_GROUP, Who::kOwner},
    Right{client::CTRL_TYPE_MODIFY_ANNOUNCEMENT, Who::kOwner},
    Right{client::CTRL_TYPE_REMOVE_MEMBERS, Who::kOwner},
    Right{client::CTRL_TYPE_TRANSFER_OWNER, Who::kOwner},
    Right{client::CTRL_TYPE_RENAME, Who::kOwner},
    Right{client::CTRL_TYPE_GET_GROUP, Who::kMember},
    Right{client::CTRL_TYPE_LIST_MEMBERS, Who::kMember},
    Right{client::CTRL_TYPE_LIST_MY_GROUPS, Who::kAnyone},
    Right{client::CTRL_TYPE_JOIN_GROUP, Who::kInvited},
};

Status check_right(const GroupState& group, client::CtrlType type, const std::string& uid, bool service,
                   Invite invite = Invite::kMembers) {
  const auto* const right = std::ranges::find(kRights, type, &Right::type);
  if (right == kRights.end()) return fail(Code::kBadRequest, "no such type of command");
  if (right->who == Who::kAnyone) return {};
  if (!group.exists) {
    // A stranger does not learn which groups there are.
    return service ? fail(Code::kNotFound, "no such group")
                   : fail(Code::kPermissionDenied, "not a member of the group");
  }
  if (right->who == Who::kInvited) {
    if (group.members.contains(uid)) return fail(Code::kAlreadyExists, "a member already");
    if (!group.invited.contains(uid)) return fail(Code::kPermissionDenied, "not invited to the group");
    return {};
  }
  if (group.dissolved() && (service || group.info.owner == uid)) {
    return fail(Code::kFailedPrecondition, "the group is dissolved");
  }
  if (service) return {};
  if (!group.members.contains(uid)) return fail(Code::kPermissionDenied, "not a member of the group");
  const bool owners =
      right->who == Who::kOwner || (type == client::CTRL_TYPE_ADD_MEMBERS && invite == Invite::kOwner);
  if (owners && group.info.owner != uid) {
    return fail(Code::kPermissionDenied, "only the owner may do this");
  }
  return {};
}

std::set<std::string> named(const client::GroupOp& op) { return {op.members().begin(), op.members().end()}; }

GroupChange unchanged(const GroupState& group) {
  GroupChange change;
  change.info = group.info;
  return change;
}

bool asks_first(const GroupCommand& command) noexcept {
  return !command.service && command.invite == Invite::kConsent;
}

// Nobody becomes an owner without knowing.
Status check_owner(const GroupCommand& command) {
  if (command.service || command.op.owner().empty() || command.op.owner() == command.actor) return {};
  return fail(Code::kPermissionDenied, "a new group is its creator's");
}

Result<GroupChange> create(const GroupCommand& command, const GroupConfig& config) {
  if (auto ok = check_owner(command); !ok) return std::unexpected(ok.error());
  GroupChange change;
  const std::string& owner = command.op.owner().empty() ? command.actor : command.op.owner();
  change.info = {.name = command.op.name(),
                 .announcement = command.op.announcement(),
                 .owner = owner,
                 .create_user = command.actor,
                 .create_time = command.time_ms};
  auto members = named(command.op);
  if (asks_first(command)) {
    members.erase(command.actor);
    change.invited.assign(members.begin(), members.end());
    members.clear();
  }
  members.insert(owner);
  if (!command.service) members.insert(command.actor);
  if (members.size() + change.invited.size() > config.max_members) {
    return fail(Code::kTooLarge, "more members than a group may have");
  }
  change.joined.assign(members.begin(), members.end());
  change.told.set_name(command.op.name());
  change.told.set_announcement(command.op.announcement());
  change.told.set_owner(owner);
  return change;
}

Result<GroupChange> add(const GroupState& group, const GroupCommand& command, const GroupConfig& config) {
  GroupChange change = unchanged(group);
  const bool asks = asks_first(command);
  for (const auto& uid : named(command.op)) {
    if (group.members.contains(uid)) continue;
    if (asks && group.invited.contains(uid)) continue;  // once is enough
    if (!asks && group.invited.contains(uid)) change.uninvited.push_back(uid);
    (asks ? change.invited : change.joined).push_back(uid);
  }
  if (change.joined.empty() && change.invited.empty()) {
    return fail(Code::kAlreadyExists,
                asks ? "all of them are members or invited" : "all of them are members");
  }
  const std::size_t all = group.members.size() + change.joined.size();
  const std::size_t asked = asks ? group.invited.size() + change.invited.size() : 0;
  if (all + asked > config.max_members) return fail(Code::kTooLarge, "more members than a group may have");
  return change;
}

Result<GroupChange> join(const GroupState& group, const GroupCommand& command, const GroupConfig& config) {
  if (group.members.size() >= config.max_members) {
    return fail(Code::kTooLarge, "more members than a group may have");
  }
  GroupChange change = unchanged(group);
  change.joined.push_back(command.actor);
  change.uninvited.push_back(command.actor);
  return change;
}

Result<GroupChange> remove(const GroupState& group, const GroupCommand& command) {
  GroupChange change = unchanged(group);
  for (const auto& uid : named(command.op)) {
    if (uid == group.info.owner) {
      return fail(Code::kFailedPrecondition, "the owner cannot be removed: transfer or dissolve the group");
    }
    if (group.members.contains(uid)) change.left.push_back(uid);
    if (group.invited.contains(uid)) change.uninvited.push_back(uid);
  }
  if (change.left.empty() && change.uninvited.empty())
    return fail(Code::kNotFound, "none of them is a member");
  return change;
}

Result<GroupChange> leave(const GroupState& group, const GroupCommand& command) {
  if (!group.members.contains(command.actor)) return fail(Code::kNotFound, "not a member of the group");
  if (group.info.owner == command.actor) {
    return fail(Code::kFailedPrecondition, "the owner cannot leave: transfer or dissolve the group");
  }
  GroupChange change = unchanged(group);
  change.left.push_back(command.actor);
  return change;
}

Result<GroupChange> transfer(const GroupState& group, const GroupCommand& command) {
  if (!group.members.contains(command.op.owner()))
    return fail(Code::kNotFound, "the new owner is not a member");
  GroupChange change = unchanged(group);
  change.info.owner = command.op.owner();
  change.told.set_owner(command.op.owner());
  return change;
}

// Each member gets them: all of a thousand would be a million names.
void tell_names(GroupChange& change, std::size_t most) {
  // Who is invited by the message that makes the group hears of it apart.
  static const std::vector<std::string> kNone;
  const auto& invited = change.told_type == client::CTRL_TYPE_CREATE_GROUP ? kNone : change.invited;
  const std::size_t all = change.joined.size() + change.left.size() + invited.size();
  if (all > most) change.told.set_member_count(static_cast<std::int32_t>(all));
  const std::array<const std::vector<std::string>*, 3> lists = {&change.joined, &change.left, &invited};
  for (const auto* names : lists) {
    for (const auto& uid : *names) {
      if (static_cast<std::size_t>(change.told.members_size()) == most) return;
      change.told.add_members(uid);
    }
  }
}

Result<GroupChange> change_of(const GroupState& group, const GroupCommand& command,
                              const GroupConfig& config) {
  GroupChange change = unchanged(group);
  switch (command.type) {
    case client::CTRL_TYPE_CREATE_GROUP:
      return create(command, config);
    case client::CTRL_TYPE_ADD_MEMBERS:
      return add(group, command, config);
    case client::CTRL_TYPE_JOIN_GROUP:
      return join(group, command, config);
    case client::CTRL_TYPE_REMOVE_MEMBERS:
      return remove(group, command);
    case client::CTRL_TYPE_EXIT_GROUP:
      return leave(group, command);
    case client::CTRL_TYPE_TRANSFER_OWNER:
      return transfer(group, command);
    case client::CTRL_TYPE_DELETE_GROUP:
      change.all_left = true;
      return change;
    case client::CTRL_TYPE_MODIFY_ANNOUNCEMENT:
      change.info.announcement = command.op.announcement();
      change.told.set_announcement(command.op.announcement());
      return change;
    case client::CTRL_TYPE_RENAME:
      change.info.name = command.op.name();
      change.told.set_name(command.op.name());
      return change;
    default:
      return fail(Code::kBadRequest, "no such type of command");
  }
}

Status check_size(std::string_view text, std::size_t most, std::string_view what) {
  if (text.size() <= most) return {};
  return fail(Code::kTooLarge, std::string(what) + " is longer than " + std::to_string(most) + " bytes");
}

}  // namespace

bool is_read(client::CtrlType type) noexcept {
  return type == client::CTRL_TYPE_GET_GROUP || type == client::CTRL_TYPE_LIST_MEMBERS ||
         type == client::CTRL_TYPE_LIST_MY_GROUPS;
}

Status check_command(const GroupCommand& command, const GroupConfig& config) {
  const client::CtrlType type = command.type;
  const client::GroupOp& op = command.op;
  if (std::ranges::find(kRights, type, &Right::type) == kRights.end()) {
    return fail(Code::kBadRequest, "no such type of command");
  }
  if (auto ok = check_size(op.name(), config.max_name_bytes, "name"); !ok) return ok;
  if (auto ok = check_size(op.announcement(), config.max_announcement_bytes, "announcement"); !ok) return ok;
  if (static_cast<std::size_t>(op.members_size()) > config.max_members_of_call) {
    return fail(Code::kBadRequest,
                "more than " + std::to_string(config.max_members_of_call) + " members in one command");
  }
  for (const auto& uid : op.members()) {
    if (auto ok = check_id(uid, kMaxUid, "a member's uid"); !ok) return ok;
  }
  if (!op.owner().empty()) {
    if (auto ok = check_id(op.owner(), kMaxUid, "owner"); !ok) return ok;
  }
  switch (type) {
    case client::CTRL_TYPE_CREATE_GROUP:
      if (op.name().empty()) return fail(Code::kBadRequest, "name is empty");
      return check_owner(command);
    case client::CTRL_TYPE_RENAME:
      if (op.name().empty()) return fail(Code::kBadRequest, "name is empty");
      return {};
    case client::CTRL_TYPE_ADD_MEMBERS:
    case client::CTRL_TYPE_REMOVE_MEMBERS:
      if (op.members().empty()) return fail(Code::kBadRequest, "members is empty");
      return {};
    case client::CTRL_TYPE_TRANSFER_OWNER:
      if (op.owner().empty()) return fail(Code::kBadRequest, "owner is empty");
      return {};
    default:
      return {};
  }
}

Result<GroupChange> decide(const GroupState& group, const GroupCommand& command, const GroupConfig& config) {
  if (auto ok = check_right(group, command.type, command.actor, command.service, command.invite); !ok) {
    return std::unexpected(ok.error());
  }
  auto change = change_of(group, command, config);
  if (!change) return change;
  const bool invites = command.type == client::CTRL_TYPE_ADD_MEMBERS && change->joined.empty();
  change->told_type = invites ? client::CTRL_TYPE_INVITE_MEMBERS : command.type;
  tell_names(*change, config.max_members_told);
  const std::int64_t seq = group.head + 1;
  if (change->all_left) change->info.dissolved_seq = seq;
  const std::size_t members = group.members.size() + change->joined.size() - change->left.size();
  // For good: this message is the last that goes to the inboxes.
  if (change->info.large_from_seq == 0 && members > config.large_threshold)
    change->info.large_from_seq = seq + 1;
  return change;
}

Status may_read(const GroupState& group, const std::string& uid, bool service) {
  return check_right(group, client::CTRL_TYPE_GET_GROUP, uid, service);
}

void join(GroupState& group, const GroupChange& change, std::int64_t group_seq) {
  group.exists = true;
  group.info = change.info;
  for (const auto& uid : change.joined) group.members.emplace(uid, group_seq);
  for (const auto& uid : change.uninvited) group.invited.erase(uid);
  for (const auto& uid : change.invited) group.invited.emplace(uid, group_seq);
}

void leave(GroupState& group, const GroupChange& change) {
  for (const auto& uid : change.left) group.members.erase(uid);
  if (!change.all_left) return;
  group.members.clear();
  group.invited.clear();
}

client::GroupOpResult result_of(const GroupChange& change, const GroupState& group, std::int64_t group_id) {
  const GroupState after = {.exists = true, .info = change.info, .head = 0, .members = {}, .invited = {}};
  const std::size_t members =
      change.all_left ? 0 : group.members.size() + change.joined.size() - change.left.size();
  client::GroupOpResult result;
  describe(after, group_id, *result.mutable_group());
  result.mutable_group()->set_member_count(static_cast<std::int32_t>(members));
  for (const auto& uid : change.joined) result.add_members(uid);
  for (const auto& uid : change.left) result.add_members(uid);
  for (const auto& uid : change.invited) result.add_members(uid);
  return result;
}

client::GroupOp told_to(const client::GroupOp& told, const std::string& uid) {
  client::GroupOp mine = told;
  mine.clear_members();
  mine.add_members(uid);
  return mine;
}

client::GroupOp invitation_of(const GroupInfo& info, const std::string& uid) {
  client::GroupOp told;
  told.set_name(info.name);
  told.add_members(uid);
  return told;
}

void describe(const GroupState& group, std::int64_t group_id, client::Group& out) {
  out.set_group_id(group_id);
  out.set_name(group.info.name);
  out.set_owner(group.info.owner);
  out.set_announcement(group.info.announcement);
  out.set_create_user(group.info.create_user);
  out.set_create_time(group.info.create_time);
  out.set_member_count(static_cast<std::int32_t>(group.members.size()));
  out.set_large(group.info.large_from_seq != 0);
}

}  // namespace hongyan::logic
