// Who may do what to a group, and what comes of it. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "logic/group/config.h"
#include "logic/store/group_rows.h"
#include "logic/user/app_rules.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// A group as its owner holds it.
struct GroupState {
  bool exists = false;
  GroupInfo info;
  std::int64_t head = 0;                        // the last group_seq
  std::map<std::string, std::int64_t> members;  // uid to joined_seq
  std::map<std::string, std::int64_t> invited;  // uid to invited_seq: asked to join, and has not yet

  [[nodiscard]] bool dissolved() const noexcept { return info.dissolved_seq != 0; }
  // Whether the message with this group_seq is stored once, for all.
  [[nodiscard]] bool large_at(std::int64_t seq) const noexcept {
    return info.large_from_seq != 0 && seq >= info.large_from_seq;
  }
};

struct GroupCommand {
  client::CtrlType type = client::CTRL_TYPE_CREATE_GROUP;
  std::string actor;
  Invite invite = Invite::kMembers;  // the app's
  bool service = false;              // of the server API: may do what the owner may
  std::int64_t time_ms = 0;
  client::GroupOp op;
};

// What a command does: takes the next group_seq.
struct GroupChange {
  GroupInfo info;
  std::vector<std::string> joined;
  std::vector<std::string> left;
  std::vector<std::string> invited;
  std::vector<std::string> uninvited;  // they joined, or are no longer wanted
  bool all_left = false;
  client::CtrlType told_type = client::CTRL_TYPE_CREATE_GROUP;
  client::GroupOp told;  // what the members are told; the first names only, when there are many
};

// Whether the type only reads.
[[nodiscard]] bool is_read(client::CtrlType type) noexcept;

// What is wrong with a command whatever the group: sizes and ids, and that a client makes somebody else the owner
// of a new group. Before anything is stored.
[[nodiscard]] Status check_command(const GroupCommand& command, const GroupConfig& config);

// Errors: kPermissionDenied, kNotFound, kAlreadyExists, kFailedPrecondition, kTooLarge.
[[nodiscard]] Result<GroupChange> decide(const GroupState& group, const GroupCommand& command,
                                         const GroupConfig& config);

// Whether this user (or a service) may read the group.
[[nodiscard]] Status may_read(const GroupState& group, const std::string& uid, bool service);

// What a change does to the group, in two steps: when its members are told, who joins is among them
// already, and who leaves is still.
void join(GroupState& group, const GroupChange& change, std::int64_t group_seq);
void leave(GroupState& group, const GroupChange& change);

// What the sender of a command is told when it is done. group: as it was before.
[[nodiscard]] client::GroupOpResult result_of(const GroupChange& change, const GroupState& group,
                                              std::int64_t group_id);

// What a member is told whose own part in the group changed by the command: the names are not all told, but
// this one is.
[[nodiscard]] client::GroupOp told_to(const client::GroupOp& told, const std::string& uid);

// What somebody is told who is invited.
[[nodiscard]] client::GroupOp invitation_of(const GroupInfo& info, const std::string& uid);

void describe(const GroupState& group, std::int64_t group_id, client::Group& out);

}  // namespace hongyan::logic
