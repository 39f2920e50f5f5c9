// UTF-8 and base64.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hongyan {

struct Utf8Char {
  char32_t point = 0;
  std::size_t size = 0;  // bytes it takes; 0: the bytes are not UTF-8
};
// The first character of `bytes`, which are not empty. Overlong forms, surrogates and what lies past U+10FFFF
// are not UTF-8.
[[nodiscard]] Utf8Char first_utf8_char(std::string_view bytes) noexcept;
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

// RFC 4648, the standard alphabet, with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
// Nothing when the text is anything but that: no white space, no missing padding.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace hongyan
