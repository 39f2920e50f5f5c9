// What a message is, wherever it stands: an outbox, an inbox, a group's order, a lane, a page, a push.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/base/msg_id.h"

namespace hongyan::logic {

// Bytes that rows, retries and pushes share; they never change. Made by share() only. Null: none.
using SharedBytes = std::shared_ptr<const std::string>;

[[nodiscard]] inline SharedBytes share(std::string bytes) {
  return std::make_shared<std::string>(std::move(bytes));
}

// Without a copy when nobody else holds them.
[[nodiscard]] inline std::string take(SharedBytes bytes) {
  if (!bytes) return {};
  if (bytes.use_count() > 1) return *bytes;
  return std::move(*std::const_pointer_cast<std::string>(std::move(bytes)));  // share() made it no constant
}

[[nodiscard]] inline std::size_t size_of(const SharedBytes& bytes) noexcept {
  return bytes ? bytes->size() : 0;
}

// Whom a message is for: a client_msg_id is used for one of them only.
struct Target {
  std::string to = {};        // a user
  std::int64_t group_id = 0;  // or a group; neither: the group that this message creates
  std::int32_t command = 0;

  bool operator==(const Target&) const = default;
};

struct Message {
  MsgId id = 0;           // 0: not stored yet
  std::string from = {};  // uid
  std::string to = {};    // uid; empty: to a group
  std::string client_msg_id = {};
  SharedBytes content = nullptr;
  SharedBytes mentions = nullptr;  // a serialised Mentions
  std::int64_t group_id = 0;       // 0: to a user, or the message that creates a group
  std::int64_t group_seq = 0;      // its place in the group's order; 0: none yet
  std::int64_t sent_ms = 0;        // since 1970
  std::int32_t command = 0;        // client::Command or internal::Command that sent it
  std::int32_t type = 0;           // the application's

  [[nodiscard]] Target target() const { return {to, group_id, command}; }
  // Of what it says: about what it takes in memory and in a packet.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return 160 + from.size() + to.size() + client_msg_id.size() + size_of(content) + size_of(mentions);
  }
  [[nodiscard]] std::size_t content_bytes() const noexcept { return size_of(content) + size_of(mentions); }
};

}  // namespace hongyan::logic
