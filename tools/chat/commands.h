// What people type into hongyan-chat.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/cpp/group.h"

namespace hongyan::chat {

struct PullCommand {};
struct OnlineCommand {};
struct HelpCommand {};
struct QuitCommand {};
// Every page of it: list_members or list_my_groups, from the start.
struct ListCommand {
  client::GroupRequest request;
};
// What is sent, and to whom, for people to read.
struct SendCommand {
  std::string target;
  client::Outgoing what;
};
using ChatCommand =
    std::variant<PullCommand, OnlineCommand, HelpCommand, QuitCommand, ListCommand, SendCommand>;

// Errors: kBadRequest, with what is wrong.
[[nodiscard]] Result<ChatCommand> parse_command(std::string_view line);

// A line for each command.
[[nodiscard]] std::string_view command_help() noexcept;

// A text to a group. Its words "@bob" mention bob.
[[nodiscard]] client::ToGroup group_text(std::int64_t group_id, std::string text);

// A group's id, with or without # before it.
[[nodiscard]] Result<std::int64_t> parse_group_id(std::string_view text);

}  // namespace hongyan::chat
