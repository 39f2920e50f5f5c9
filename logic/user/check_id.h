// Ids that are refused with the reason; what is allowed stands in common/protocol/ids.h.
#pragma once

#include <cstddef>
#include <string_view>

#include "common/base/result.h"
#include "common/protocol/ids.h"

namespace hongyan::logic {

using protocol::kMaxClientMsgId;
using protocol::kMaxDestination;
using protocol::kMaxDeviceId;
using protocol::kMaxUid;

// kBadRequest: it is empty, longer than `most` bytes, or has a NUL. what: its name for the message.
[[nodiscard]] Status check_id(std::string_view id, std::size_t most, std::string_view what);

}  // namespace hongyan::logic
