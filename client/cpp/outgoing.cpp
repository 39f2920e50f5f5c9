#include "client/cpp/outgoing.h"

#include <algorithm>
#include <string_view>

#include "common/base/text.h"
#include "common/protocol/ids.h"

namespace hongyan::client {

namespace {

using protocol::is_id;
using protocol::is_id_or_empty;

template <typename Uids>
bool valid_uids(const Uids& uids) {
  return std::ranges::all_of(uids, [](const std::string& uid) { return is_id(uid, protocol::kMaxUid); });
}

bool names_a_group(CtrlType type) {
  return type != CTRL_TYPE_CREATE_GROUP && type != CTRL_TYPE_LIST_MY_GROUPS;
}

// Order is kept among all that goes to a group: members added first get the message sent next.
std::string conversation_of_group(std::int64_t group_id) { return "g" + std::to_string(group_id); }

// Fills the fields of a Request that differ.
struct Maker {
  const CoreOptions& options;
  const SendOptions& send_options;

  Result<SendQueue::Request> operator()(ToUser what) const {
    if (!is_id(what.to, protocol::kMaxUid)) {
      return fail(Code::kBadRequest, "a receiver is 1 to 128 bytes without NUL");
    }
    C2CSendReq request;
    request.set_from(options.uid);
    request.set_to(what.to);
    request.set_content(std::move(what.content));
    request.set_client_msg_id(send_options.client_msg_id);
    request.set_msg_type(send_options.msg_type);
    return SendQueue::Request{
        .command = COMMAND_C2C_SEND, .conversation = "u" + what.to, .body = request.SerializeAsString()};
  }

  Result<SendQueue::Request> operator()(ToService what) const {
    if (!is_id(what.destination, protocol::kMaxDestination)) {
      return fail(Code::kBadRequest, "a destination is 1 to 64 bytes without NUL");
    }
    C2SReq request;
    request.set_destination(what.destination);
    request.set_content(std::move(what.content));
    request.set_client_msg_id(send_options.client_msg_id);
    return SendQueue::Request{
        .command = COMMAND_C2S, .conversation = "s" + what.destination, .body = request.SerializeAsString()};
  }

  Result<SendQueue::Request> operator()(ToGroup what) const {
    if (what.group_id <= 0) return fail(Code::kBadRequest, "a group's id is above 0");
    if (!valid_uids(what.mentions)) {
      return fail(Code::kBadRequest, "who is mentioned is 1 to 128 bytes without NUL");
    }
    C2GSendReq request;
    request.set_from(options.uid);
    request.set_group_id(what.group_id);
    request.set_content(std::move(what.content));
    request.set_client_msg_id(send_options.client_msg_id);
    request.set_msg_type(send_options.msg_type);
    for (auto& uid : what.mentions) request.add_mentions(std::move(uid));
    return SendQueue::Request{.command = COMMAND_C2G_SEND,
                              .conversation = conversation_of_group(what.group_id),
                              .body = request.SerializeAsString()};
  }

  Result<SendQueue::Request> operator()(const GroupRequest& what) const {
    const GroupOp& op = what.op;
    if (names_a_group(what.type) ? what.group_id <= 0 : what.group_id != 0) {
      return fail(Code::kBadRequest, "a group's id is above 0, and absent where no group is meant");
    }
    if (!is_utf8(op.name()) || !is_utf8(op.announcement())) {
      return fail(Code::kBadRequest, "a name or an announcement is UTF-8");
    }
    if (!valid_uids(op.members()) || !is_id_or_empty(op.owner(), protocol::kMaxUid)) {
      return fail(Code::kBadRequest, "a member is 1 to 128 bytes without NUL");
    }
    CtrlSendReq request;
    request.set_from(options.uid);
    request.set_type(what.type);
    if (what.group_id != 0) request.set_to(std::to_string(what.group_id));
    request.set_content(op.SerializeAsString());
    request.set_client_msg_id(send_options.client_msg_id);
    return SendQueue::Request{.command = COMMAND_CTRL_SEND,
                              .conversation = conversation_of_group(what.group_id),
                              .body = request.SerializeAsString()};
  }
};

}  // namespace

Result<SendQueue::Request> make_request(const CoreOptions& options, Outgoing what, SendOptions send_options) {
  auto request = std::visit(Maker{options, send_options}, std::move(what));
  if (!request) return request;
  if (!is_id(send_options.client_msg_id, protocol::kMaxClientMsgId)) {
    return fail(Code::kBadRequest, "a client_msg_id is 1 to 64 bytes without NUL");
  }
  if (request->body.size() > options.max_body_bytes) {
    return fail(Code::kTooLarge, "the message is too large");
  }
  request->client_msg_id = std::move(send_options.client_msg_id);
  request->deadline = send_options.deadline.value_or(options.send_deadline);
  return request;
}

}  // namespace hongyan::client
