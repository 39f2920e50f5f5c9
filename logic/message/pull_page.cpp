#include "logic/message/pull_page.h"

#include <utility>

#include "logic/message/group_key.h"

namespace hongyan::logic {

std::size_t append_page(google::protobuf::RepeatedPtrField<client::PullMsg>& out,
                        std::vector<StoredMessage> messages, PageOf box, const std::string& owner) {
  std::size_t bytes = 0;
  for (auto& message : messages) {
    client::PullMsg& to = *out.Add();
    bytes += message.page_bytes();
    if (box == PageOf::kOutbox) {
      to.set_from(owner);
      to.set_to(std::move(message.peer));
    } else {
      to.set_from(std::move(message.peer));
      to.set_to(owner);
    }
    to.set_group_id(message.group_id);
    to.set_group_seq(message.group_seq);
    to.set_content(std::move(message.content));
    to.set_msg_id(message.msg_id);
    // A service's command is a command.
    to.set_cmd_id(is_group_command(message.cmd_id) ? static_cast<std::int32_t>(client::COMMAND_CTRL_SEND)
                                                   : message.cmd_id);
    to.set_send_time(message.send_time);
    to.set_seq(message.seq);
    to.set_msg_type(message.msg_type);
    to.set_client_msg_id(std::move(message.client_msg_id));
    if (!message.mentions.empty()) {
      internal::Mentions mentions;
      if (mentions.ParseFromString(message.mentions)) to.mutable_mentions()->Swap(mentions.mutable_uids());
    }
  }
  return bytes;
}

}  // namespace hongyan::logic
