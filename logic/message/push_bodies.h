// How clients are told of a message: builds the bodies of pushes and pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "logic/store/box_works.h"
#include "proto/client.pb.h"

namespace hongyan::logic {

// The command of the push, by the command that sent the message.
[[nodiscard]] std::uint32_t push_command(std::int32_t command) noexcept;

// C2CPush or S2CPush. seq: in the receiver's inbox.
[[nodiscard]] SharedBytes push_body(const Message& message, std::int64_t seq);
// C2GPush or CtrlPush: one for all members. Their seqs are added by gates, as the field that follows.
[[nodiscard]] SharedBytes group_push_body(const Message& message);
[[nodiscard]] std::uint32_t seq_field_of_group_push(std::int32_t command) noexcept;
// What the sender's other devices are told; of a group's message without content, which comes by the inbox.
// seq: in the sender's outbox.
[[nodiscard]] std::string sent_push_body(const Message& message, std::int64_t seq);

// Appends the messages. Returns the bytes they take at most.
std::size_t append_page(google::protobuf::RepeatedPtrField<client::PullMsg>& out,
                        std::vector<StoredMessage> messages);

}  // namespace hongyan::logic
