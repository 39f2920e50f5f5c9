#include "client/cpp/message.h"

#include "common/base/text.h"
#include "proto/parse.h"

namespace hongyan::client {

namespace {

// Of a ctrl message: its `to` is the group's id in decimal. 0: it is not.
std::int64_t group_of(std::string_view to) {
  const auto group_id = parse_number<std::int64_t>(to);
  return group_id && *group_id > 0 ? *group_id : 0;
}

template <typename Push>
std::optional<Push> parsed(std::string_view body) {
  Push push;
  if (!parse(push, body)) return std::nullopt;
  return push;
}

// The fields that C2CPush, C2GPush, S2CPush and CtrlPush share.
template <typename Push>
Message common(Command kind, const Push& push) {
  return {.kind = kind,
          .from = push.from(),
          .content = push.content(),
          .msg_id = push.msg_id(),
          .time_ms = push.timestamp(),
          .seq = push.seq()};
}

std::optional<Message> c2c(std::string_view body) {
  const auto push = parsed<C2CPush>(body);
  if (!push) return std::nullopt;
  Message message = common(COMMAND_C2C_SEND, *push);
  message.msg_type = push->msg_type();
  message.client_msg_id = push->client_msg_id();
  return message;
}

std::optional<Message> c2g(std::string_view body) {
  const auto push = parsed<C2GPush>(body);
  if (!push || push->group_id() <= 0 || (push->seq() == 0 && push->group_seq() <= 0)) return std::nullopt;
  Message message = common(COMMAND_C2G_SEND, *push);
  message.group_id = push->group_id();
  message.group_seq = push->group_seq();
  message.msg_type = push->msg_type();
  message.client_msg_id = push->client_msg_id();
  message.mentions.assign(push->mentions().begin(), push->mentions().end());
  return message;
}

std::optional<Message> s2c(std::string_view body) {
  const auto push = parsed<S2CPush>(body);
  if (!push) return std::nullopt;
  Message message = common(COMMAND_S2C, *push);
  message.msg_type = push->msg_type();
  return message;
}

std::optional<Message> ctrl(std::string_view body) {
  const auto push = parsed<CtrlPush>(body);
  if (!push) return std::nullopt;
  Message message = common(COMMAND_CTRL_SEND, *push);
  message.to = push->to();
  message.group_id = group_of(push->to());
  message.group_seq = push->group_seq();
  if (message.group_id == 0 && message.group_seq != 0) return std::nullopt;
  message.msg_type = static_cast<std::int32_t>(push->type());
  return message;
}

std::optional<Message> any(Command command, std::string_view body) {
  switch (command) {
    case COMMAND_C2C_PUSH:
      return c2c(body);
    case COMMAND_C2G_PUSH:
      return c2g(body);
    case COMMAND_S2C:
      return s2c(body);
    case COMMAND_CTRL_PUSH:
      return ctrl(body);
    default:
      return std::nullopt;
  }
}

}  // namespace

Message message_of(const PullMsg& row) {
  Message message{.kind = static_cast<Command>(row.cmd_id()),
                  .from = row.from(),
                  .to = row.to(),
                  .group_id = row.group_id(),
                  .content = row.content(),
                  .msg_id = row.msg_id(),
                  .time_ms = row.send_time(),
                  .seq = row.seq(),
                  .group_seq = row.group_seq(),
                  .msg_type = row.msg_type(),
                  .client_msg_id = row.client_msg_id(),
                  .mentions = {row.mentions().begin(), row.mentions().end()}};
  if (message.kind == COMMAND_CTRL_SEND && message.group_id == 0) message.group_id = group_of(message.to);
  return message;
}

std::optional<Message> parse_push(Command command, std::string_view body) {
  auto message = any(command, body);
  if (message && message->seq < 0) return std::nullopt;
  return message;
}

}  // namespace hongyan::client
