#include "tools/support/text.h"

#include <fmt/format.h>

#include <cstdint>

#include "common/base/text.h"

namespace hongyan::tools {

namespace {

bool hidden(char32_t point) noexcept {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || (point >= 0x200E && point <= 0x200F) ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const Utf8Char next = first_utf8_char(bytes);
    if (next.size == 0) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(bytes.front()));
      bytes.remove_prefix(1);
      continue;
    }
    if (next.point == '\n') {
      out += "\\n";
    } else if (next.point == '\t') {
      out += "\\t";
    } else if (next.point == '\\') {
      out += "\\\\";
    } else if (next.point < 0x80 && hidden(next.point)) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(next.point));
    } else if (hidden(next.point)) {
      out += fmt::format("\\u{{{:04x}}}", static_cast<std::uint32_t>(next.point));
    } else {
      out.append(bytes.substr(0, next.size));
    }
    bytes.remove_prefix(next.size);
  }
  return out;
}

}  // namespace hongyan::tools
