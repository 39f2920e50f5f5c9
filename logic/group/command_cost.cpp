#include "logic/group/command_cost.h"

#include <algorithm>

#include "logic/user/check_id.h"

namespace hongyan::logic {

namespace {

// Of who joins: the row in the group's list, and in the user's own.
constexpr std::size_t kRowsOfAMember = 2;

std::size_t told_bytes(const client::GroupOp& op, const GroupConfig& config) {
  std::size_t names = 0;
  for (const auto& uid : op.members()) names += uid.size();
  return op.name().size() + op.announcement().size() + op.owner().size() +
         std::min(names, config.max_members_told * kMaxUid);
}

}  // namespace

FanOutCost cost_of_command(const Message& message, client::CtrlType type, const client::GroupOp& op,
                           const GroupConfig& config) {
  const std::size_t row = kRowBytes + told_bytes(op, config);
  // The sender's own row, the group's and the outcome.
  FanOutCost cost{.once = kRowBytes + said_bytes(message) + 2 * row, .a_member = row};
  const bool creates = type == client::CTRL_TYPE_CREATE_GROUP;
  const bool joins = type == client::CTRL_TYPE_JOIN_GROUP;
  if (creates || joins || type == client::CTRL_TYPE_ADD_MEMBERS) {
    cost.joining = static_cast<std::size_t>(op.members_size()) + (creates || joins ? 1 : 0);
    cost.once += cost.joining * (row + kRowsOfAMember * kRowBytes);
  }
  if (creates) cost.a_member = 0;
  return cost;
}

}  // namespace hongyan::logic
