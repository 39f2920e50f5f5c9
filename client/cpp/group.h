// Groups: requests, and what ctrl messages tell of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cpp/outgoing.h"
#include "client/cpp/types.h"

namespace hongyan::client {

// Requests for Client::group(). Who may do what, and how many members a request may name, is the server's to
// say (docs/protocol.md).

// The answer's group has the new group_id. members: besides oneself, who is the owner.
[[nodiscard]] GroupRequest create_group(std::string name, std::vector<std::string> members);
[[nodiscard]] GroupRequest add_members(std::int64_t group_id, std::vector<std::string> members);
[[nodiscard]] GroupRequest remove_members(std::int64_t group_id, std::vector<std::string> members);
// Accepts an invitation (an INVITE_MEMBERS that names this user), where groups ask first.
[[nodiscard]] GroupRequest join_group(std::int64_t group_id);
[[nodiscard]] GroupRequest exit_group(std::int64_t group_id);
[[nodiscard]] GroupRequest delete_group(std::int64_t group_id);
[[nodiscard]] GroupRequest rename_group(std::int64_t group_id, std::string name);
[[nodiscard]] GroupRequest set_announcement(std::int64_t group_id, std::string announcement);
[[nodiscard]] GroupRequest transfer_group(std::int64_t group_id, std::string owner);
// The answer's group.
[[nodiscard]] GroupRequest get_group(std::int64_t group_id);
// The answer's members: up to `limit` (the server has a most) from number `offset` on; none: the end.
[[nodiscard]] GroupRequest list_members(std::int64_t group_id, std::int64_t offset, std::int32_t limit);
// The answer's groups; as list_members().
[[nodiscard]] GroupRequest list_my_groups(std::int64_t offset, std::int32_t limit);

// What happened in a group: message.from did it, to message.group_id.
struct GroupEvent {
  CtrlType type = CTRL_TYPE_CREATE_GROUP;
  GroupOp op{};
};
// Of a message of kind CTRL_SEND. Nothing: it is none, or does not parse.
[[nodiscard]] std::optional<GroupEvent> group_event(const Message& message);

// Whether a ctrl message changes this user's own part in the group: joining, leaving, the group's end. Such a
// message comes by the inbox in every group; of a large group all others come by the group.
[[nodiscard]] bool concerns_membership_of(const Message& message, std::string_view uid);

}  // namespace hongyan::client
