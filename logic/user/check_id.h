// Ids as the protocol allows them: bytes but NUL, compared byte for byte.
#pragma once

#include <cstddef>
#include <string_view>

#include "common/base/result.h"

namespace hongyan::logic {

inline constexpr std::size_t kMaxUid = 128;
inline constexpr std::size_t kMaxClientMsgId = 64;

// kBadRequest: it is empty, longer than `most` bytes, or has a NUL. what: its name for the message.
[[nodiscard]] Status check_id(std::string_view id, std::size_t most, std::string_view what);

}  // namespace hongyan::logic
