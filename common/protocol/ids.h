// Ids as the protocol allows them: any bytes but NUL, compared byte for byte.
#pragma once

#include <cstddef>
#include <string_view>

namespace hongyan::protocol {

// In bytes.
inline constexpr std::size_t kMaxAppId = 64;
inline constexpr std::size_t kMaxUid = 128;
inline constexpr std::size_t kMaxDeviceId = 128;
inline constexpr std::size_t kMaxClientMsgId = 64;
inline constexpr std::size_t kMaxDestination = 64;

// The app of who names none.
inline constexpr std::string_view kDefaultApp = "default";

// An id that may be left out: at most so many bytes, none of them NUL.
[[nodiscard]] constexpr bool is_id_or_empty(std::string_view id, std::size_t most) noexcept {
  return id.size() <= most && id.find('\0') == std::string_view::npos;
}
[[nodiscard]] constexpr bool is_id(std::string_view id, std::size_t most) noexcept {
  return !id.empty() && is_id_or_empty(id, most);
}

}  // namespace hongyan::protocol
