// client_msg_id: a prefix that nobody else has, then the message's number.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/text.h"

namespace hongyan::bench {

inline void set_client_id(std::string& out, std::string_view prefix, std::uint32_t number) {
  std::array<char, 10> digits;
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.assign(prefix).append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

// Nothing when the id does not begin with the prefix or does not end in a number.
[[nodiscard]] inline std::optional<std::uint32_t> number_of_client_id(std::string_view id,
                                                                      std::string_view prefix) {
  if (!id.starts_with(prefix)) return std::nullopt;
  return parse_number<std::uint32_t>(id.substr(prefix.size()));
}

}  // namespace hongyan::bench
