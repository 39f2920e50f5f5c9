// What a send costs its sender: about the bytes that it makes the shards store. Pure functions.
#pragma once

#include <cstddef>

#include "logic/store/message.h"

namespace hongyan::logic {

// A row besides the texts in it: numbers, its owner's name, indexes.
inline constexpr std::size_t kRowBytes = 256;

// What a message says, its names included.
[[nodiscard]] inline std::size_t said_bytes(const Message& message) noexcept {
  return message.to.size() + message.client_msg_id.size() + message.content_bytes();
}

// A part that is there once, and one that each member of the group gets.
struct FanOutCost {
  std::size_t once = 0;
  std::size_t a_member = 0;  // a row and what it says
  std::size_t joining = 0;   // who may become a member by it

  // Members of a large group have no rows, but those who are online get a push, which is over with that.
  [[nodiscard]] std::size_t of(std::size_t members, bool large) const noexcept {
    if (!large) return once + members * a_member;
    const std::size_t push = a_member > kRowBytes ? a_member - kRowBytes + kPushBytes : kPushBytes;
    return once + members * push / kPushesOfARow;
  }

  static constexpr std::size_t kPushBytes = 32;    // besides what it says
  static constexpr std::size_t kPushesOfARow = 8;  // of the same size
};

// A message to one user: the sender's row and the receiver's.
[[nodiscard]] inline std::size_t cost_to_user(const Message& message) noexcept {
  return 2 * (kRowBytes + said_bytes(message));
}

// A message to a group: the sender's row, the group's, and one for each member.
[[nodiscard]] inline FanOutCost cost_to_group(const Message& message) noexcept {
  const std::size_t row = kRowBytes + said_bytes(message);
  return {.once = 2 * row, .a_member = row};
}

}  // namespace hongyan::logic
