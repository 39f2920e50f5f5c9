#include "tools/checker/packets.h"

#include <algorithm>
#include <string>

namespace hongyan::checker {

namespace {

// Of many who join or leave the server tells each member other names.
Digest digest_of_change(const std::string& content) {
  client::GroupOp op;
  if (!op.ParseFromString(content)) return digest_of(content);
  op.clear_members();
  return digest_of(op.SerializeAsString());
}

// What a ctrl message does to the group's members.
void fill_change(Row& row, int type, const std::string& content) {
  client::GroupOp op;
  if (!op.ParseFromString(content)) return;
  row.content = digest_of_change(content);
  row.members.assign(op.members().begin(), op.members().end());
  row.concerned = std::max(op.member_count(), op.members_size());
  switch (type) {
    case client::CTRL_TYPE_CREATE_GROUP:
      row.change = GroupChange::kMade;
      return;
    case client::CTRL_TYPE_ADD_MEMBERS:
    case client::CTRL_TYPE_JOIN_GROUP:
      row.change = GroupChange::kJoined;
      return;
    case client::CTRL_TYPE_EXIT_GROUP:
    case client::CTRL_TYPE_REMOVE_MEMBERS:
      row.change = GroupChange::kLeft;
      return;
    case client::CTRL_TYPE_DELETE_GROUP:
      row.change = GroupChange::kDissolved;
      return;
    default:
      return;
  }
}

}  // namespace

Outcome outcome_of(client::ErrorCode code) {
  switch (code) {
    case client::ERROR_CODE_OK:
      return Outcome::kOk;
    case client::ERROR_CODE_DEADLINE_EXCEEDED:
    case client::ERROR_CODE_INTERNAL:
      return Outcome::kUnknown;
    default:
      return Outcome::kRefused;
  }
}

Attempt attempt_of(const client::C2CSendReq& request) {
  return {.client_msg_id = request.client_msg_id(),
          .receiver = request.to(),
          .content = digest_of(request.content())};
}

Attempt attempt_of(const client::C2GSendReq& request) {
  return {.client_msg_id = request.client_msg_id(),
          .content = digest_of(request.content()),
          .group_id = request.group_id()};
}

Attempt attempt_of(const client::CtrlSendReq& request) {
  return {.client_msg_id = request.client_msg_id(), .group_id = std::stoll(request.to()), .change = true};
}

Row row_of(const client::PullMsg& message) {
  const bool of_group =
      message.cmd_id() == client::COMMAND_C2G_SEND || message.cmd_id() == client::COMMAND_CTRL_SEND;
  Row row{.seq = message.seq(),
          .msg_id = message.msg_id(),
          .from = message.from(),
          .to = message.to(),
          .client_msg_id = message.client_msg_id(),
          .content = digest_of(message.content()),
          .group_id = of_group && message.group_id() == 0 ? kSomeGroup : message.group_id(),
          .group_seq = message.group_seq()};
  if (message.cmd_id() == client::COMMAND_CTRL_SEND) fill_change(row, message.msg_type(), message.content());
  return row;
}

Row row_of(const client::C2CPush& push) {
  return {.seq = push.seq(),
          .msg_id = push.msg_id(),
          .from = push.from(),
          .client_msg_id = push.client_msg_id(),
          .content = digest_of(push.content())};
}

Row row_of(const client::C2GPush& push) {
  return {.seq = push.seq(),
          .msg_id = push.msg_id(),
          .from = push.from(),
          .client_msg_id = push.client_msg_id(),
          .content = digest_of(push.content()),
          .group_id = push.group_id(),
          .group_seq = push.group_seq()};
}

Row row_of(const client::CtrlPush& push) {
  return {.seq = push.seq(),
          .msg_id = push.msg_id(),
          .from = push.from(),
          .content = digest_of_change(push.content()),
          .group_id = std::stoll(push.to()),
          .group_seq = push.group_seq()};
}

}  // namespace hongyan::checker
