#include "logic/message/push_body.h"

#include <memory>
#include <string>

#include "logic/message/group_key.h"

namespace hongyan::logic {

SharedBytes group_push_body(std::int64_t group_id, const InboxWork& work) {
  if (is_group_command(work.cmd_id)) {
    client::CtrlPush push;
    push.set_from(work.from);
    push.set_type(static_cast<client::CtrlType>(work.msg_type));
    push.set_to(std::to_string(group_id));
    push.set_msg_id(work.msg_id);
    push.set_content(*work.content);
    push.set_timestamp(work.send_time);
    push.set_group_seq(work.group_seq);
    return std::make_shared<const std::string>(push.SerializeAsString());
  }
  client::C2GPush push;
  push.set_from(work.from);
  push.set_group_id(group_id);
  push.set_content(*work.content);
  push.set_msg_id(work.msg_id);
  push.set_timestamp(work.send_time);
  push.set_group_seq(work.group_seq);
  push.set_msg_type(work.msg_type);
  push.set_client_msg_id(work.client_msg_id);
  if (work.mentions) {
    internal::Mentions mentions;
    if (mentions.ParseFromString(*work.mentions)) push.mutable_mentions()->Swap(mentions.mutable_uids());
  }
  return std::make_shared<const std::string>(push.SerializeAsString());
}

}  // namespace hongyan::logic
