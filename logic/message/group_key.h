// Names of groups, and which commands concern them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/slot.h"
#include "common/protocol/commands.h"

namespace hongyan::logic {

struct GroupKey {
  std::string app_id;
  std::int64_t group_id = 0;

  auto operator<=>(const GroupKey&) const = default;
};

struct GroupKeyHash {
  std::size_t operator()(const GroupKey& key) const noexcept {
    return std::hash<std::string_view>()(key.app_id) * 31 + std::hash<std::int64_t>()(key.group_id);
  }
};

// A group's slot is that of its id in decimal.
[[nodiscard]] inline Slot slot_of_group(std::string_view app_id, std::int64_t group_id) {
  return slot_of(app_id, std::to_string(group_id));
}

// Of Message::command. A command: of a member, or of a service.
[[nodiscard]] inline bool is_group_command(std::int32_t command) noexcept {
  return protocol::is_group_command(static_cast<std::uint32_t>(command));
}
[[nodiscard]] inline bool is_for_group(std::int32_t command) noexcept {
  return protocol::is_for_group(static_cast<std::uint32_t>(command));
}
// As clients know it: a service's command is a command.
[[nodiscard]] inline std::int32_t told_command(std::int32_t command) noexcept {
  return is_group_command(command) ? std::int32_t{client::COMMAND_CTRL_SEND} : command;
}

}  // namespace hongyan::logic
