// UTF-8, base64, numbers.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace hongyan {

struct Utf8Char {
  char32_t point = 0;
  std::size_t size = 0;  // bytes it takes; 0: the bytes are not UTF-8
};
// The first character of `bytes`, which are not empty. Overlong forms, surrogates and what lies past U+10FFFF
// are not UTF-8.
[[nodiscard]] Utf8Char first_utf8_char(std::string_view bytes) noexcept;
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

// The whole text as a number: no sign but "-", no white space, nothing behind it. Nothing when it is none, or
// one that T does not hold. format: the base of an integer, the std::chars_format of a floating-point number.
template <typename T, typename... Format>
  requires std::is_arithmetic_v<T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, Format... format) noexcept {
  T value{};
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, format...);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

// RFC 4648, the standard alphabet, with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
// Nothing when the text is anything but that: no white space, no missing padding.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace hongyan
