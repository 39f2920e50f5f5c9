// What a device gets of a group's message.
#pragma once

#include <cstdint>

#include "logic/store/rows.h"

namespace hongyan::logic {

// The body of a C2G_PUSH or CTRL_PUSH, but for its seq, which differs between the members' inboxes (and is
// absent in a large group).
[[nodiscard]] SharedBytes group_push_body(std::int64_t group_id, const InboxWork& work);

}  // namespace hongyan::logic
