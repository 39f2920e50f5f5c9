#include "client/cpp/group.h"

#include <algorithm>

namespace hongyan::client {

namespace {

GroupRequest with_members(CtrlType type, std::int64_t group_id, std::vector<std::string> members) {
  GroupRequest request{.type = type, .group_id = group_id};
  for (auto& uid : members) request.op.add_members(std::move(uid));
  return request;
}

GroupRequest page(CtrlType type, std::int64_t group_id, std::int64_t offset, std::int32_t limit) {
  GroupRequest request{.type = type, .group_id = group_id};
  request.op.set_offset(offset);
  request.op.set_limit(limit);
  return request;
}

}  // namespace

GroupRequest create_group(std::string name, std::vector<std::string> members) {
  GroupRequest request = with_members(CTRL_TYPE_CREATE_GROUP, 0, std::move(members));
  request.op.set_name(std::move(name));
  return request;
}

GroupRequest add_members(std::int64_t group_id, std::vector<std::string> members) {
  return with_members(CTRL_TYPE_ADD_MEMBERS, group_id, std::move(members));
}

GroupRequest remove_members(std::int64_t group_id, std::vector<std::string> members) {
  return with_members(CTRL_TYPE_REMOVE_MEMBERS, group_id, std::move(members));
}

GroupRequest join_group(std::int64_t group_id) {
  return {.type = CTRL_TYPE_JOIN_GROUP, .group_id = group_id};
}

GroupRequest exit_group(std::int64_t group_id) {
  return {.type = CTRL_TYPE_EXIT_GROUP, .group_id = group_id};
}

GroupRequest delete_group(std::int64_t group_id) {
  return {.type = CTRL_TYPE_DELETE_GROUP, .group_id = group_id};
}

GroupRequest rename_group(std::int64_t group_id, std::string name) {
  GroupRequest request{.type = CTRL_TYPE_RENAME, .group_id = group_id};
  request.op.set_name(std::move(name));
  return request;
}

GroupRequest set_announcement(std::int64_t group_id, std::string announcement) {
  GroupRequest request{.type = CTRL_TYPE_MODIFY_ANNOUNCEMENT, .group_id = group_id};
  request.op.set_announcement(std::move(announcement));
  return request;
}

GroupRequest transfer_group(std::int64_t group_id, std::string owner) {
  GroupRequest request{.type = CTRL_TYPE_TRANSFER_OWNER, .group_id = group_id};
  request.op.set_owner(std::move(owner));
  return request;
}

GroupRequest get_group(std::int64_t group_id) { return {.type = CTRL_TYPE_GET_GROUP, .group_id = group_id}; }

GroupRequest list_members(std::int64_t group_id, std::int64_t offset, std::int32_t limit) {
  return page(CTRL_TYPE_LIST_MEMBERS, group_id, offset, limit);
}

GroupRequest list_my_groups(std::int64_t offset, std::int32_t limit) {
  return page(CTRL_TYPE_LIST_MY_GROUPS, 0, offset, limit);
}

std::optional<GroupEvent> group_event(const Message& message) {
  if (message.kind != COMMAND_CTRL_SEND || !CtrlType_IsValid(message.msg_type)) return std::nullopt;
  GroupEvent event{.type = static_cast<CtrlType>(message.msg_type)};
  if (!event.op.ParseFromString(message.content)) return std::nullopt;
  return event;
}

bool concerns_membership_of(const Message& message, std::string_view uid) {
  const auto event = group_event(message);
  if (!event) return false;
  return event->type == CTRL_TYPE_DELETE_GROUP ||
         std::ranges::find(event->op.members(), uid) != event->op.members().end();
}

}  // namespace hongyan::client
