// How hongyan-chat writes messages and answers: one line each, for people or as JSON.
#pragma once

#include <string>
#include <vector>

#include "client/cpp/types.h"

namespace hongyan::chat {

// What others wrote is escaped (tools/support/text.h). Times are local.
[[nodiscard]] std::string message_line(const client::Message& message);
[[nodiscard]] std::string message_json(const client::Message& message);

// "bob added carol, dave": what a ctrl message tells of its group.
[[nodiscard]] std::string event_text(const client::Message& message);

// Of the groups of an answer, then of its members.
[[nodiscard]] std::vector<std::string> group_lines(const client::GroupOpResult& result);
// type: of the request.
[[nodiscard]] std::string group_json(client::CtrlType type, const client::GroupOpResult& result);

// Without the prefix: "ADD_MEMBERS", "OTHER_LOGIN".
[[nodiscard]] std::string short_name(client::CtrlType type);
[[nodiscard]] std::string short_name(client::KickReason reason);

}  // namespace hongyan::chat
