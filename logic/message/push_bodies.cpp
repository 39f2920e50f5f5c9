#include "logic/message/push_bodies.h"

#include <utility>

#include "logic/message/group_key.h"
#include "proto/parse.h"

namespace hongyan::logic {

namespace {

void set_mentions(google::protobuf::RepeatedPtrField<std::string>& out, const SharedBytes& mentions) {
  internal::Mentions parsed;
  if (mentions && parse(parsed, *mentions)) out.Swap(parsed.mutable_uids());
}

void fill(client::PullMsg& out, Message message, std::int64_t seq) {
  out.set_from(std::move(message.from));
  out.set_to(std::move(message.to));
  out.set_group_id(message.group_id);
  out.set_group_seq(message.group_seq);
  out.set_content(take(std::move(message.content)));
  out.set_msg_id(message.id);
  out.set_cmd_id(told_command(message.command));
  out.set_send_time(message.sent_ms);
  out.set_seq(seq);
  out.set_msg_type(message.type);
  out.set_client_msg_id(std::move(message.client_msg_id));
  set_mentions(*out.mutable_mentions(), message.mentions);
}

// What pushes to one user have in common.
void fill_push(auto& push, const Message& message, std::int64_t seq) {
  push.Clear();
  push.set_from(message.from);
  push.set_content(*message.content);
  push.set_msg_id(message.id);
  push.set_timestamp(message.sent_ms);
  push.set_seq(seq);
  push.set_msg_type(message.type);
}

}  // namespace

std::uint32_t push_command(std::int32_t command) noexcept {
  if (is_group_command(command)) return client::COMMAND_CTRL_PUSH;
  switch (command) {
    case client::COMMAND_S2C:
      return client::COMMAND_S2C;
    case client::COMMAND_C2G_SEND:
      return client::COMMAND_C2G_PUSH;
    default:
      return client::COMMAND_C2C_PUSH;
  }
}

SharedBytes push_body(const Message& message, std::int64_t seq) {
  if (message.command == client::COMMAND_S2C) {
    thread_local client::S2CPush push;
    fill_push(push, message, seq);
    return share(push.SerializeAsString());
  }
  thread_local client::C2CPush push;
  fill_push(push, message, seq);
  push.set_client_msg_id(message.client_msg_id);
  return share(push.SerializeAsString());
}

SharedBytes group_push_body(const Message& message) {
  if (is_group_command(message.command)) {
    client::CtrlPush push;
    push.set_from(message.from);
    push.set_type(static_cast<client::CtrlType>(message.type));
    push.set_to(std::to_string(message.group_id));
    push.set_msg_id(message.id);
    push.set_content(*message.content);
    push.set_timestamp(message.sent_ms);
    push.set_group_seq(message.group_seq);
    return share(push.SerializeAsString());
  }
  client::C2GPush push;
  push.set_from(message.from);
  push.set_group_id(message.group_id);
  push.set_content(*message.content);
  push.set_msg_id(message.id);
  push.set_timestamp(message.sent_ms);
  push.set_group_seq(message.group_seq);
  push.set_msg_type(message.type);
  push.set_client_msg_id(message.client_msg_id);
  set_mentions(*push.mutable_mentions(), message.mentions);
  return share(push.SerializeAsString());
}

std::uint32_t seq_field_of_group_push(std::int32_t command) noexcept {
  return is_group_command(command) ? std::uint32_t{client::CtrlPush::kSeqFieldNumber}
                                   : std::uint32_t{client::C2GPush::kSeqFieldNumber};
}

std::string sent_push_body(const Message& message, std::int64_t seq) {
  Message told = message;
  if (is_for_group(message.command)) told.content = told.mentions = nullptr;
  client::PullMsg body;
  fill(body, std::move(told), seq);
  return body.SerializeAsString();
}

std::size_t append_page(google::protobuf::RepeatedPtrField<client::PullMsg>& out,
                        std::vector<StoredMessage> messages) {
  std::size_t bytes = 0;
  for (auto& stored : messages) {
    bytes += stored.page_bytes();
    fill(*out.Add(), std::move(stored.message), stored.seq);
  }
  return bytes;
}

}  // namespace hongyan::logic
