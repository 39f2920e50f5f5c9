// Messages out of packets.
#pragma once

#include <optional>
#include <string_view>

#include "client/cpp/types.h"

namespace hongyan::client {

// A row of a page, or the body of a SENT_PUSH. `sent` and `own` are left false.
[[nodiscard]] Message message_of(const PullMsg& row);

// The body of a C2C_PUSH, C2G_PUSH, S2C or CTRL_PUSH. Nothing when it does not parse, or is of no group or
// numbers that no server gives.
[[nodiscard]] std::optional<Message> parse_push(Command command, std::string_view body);

}  // namespace hongyan::client
