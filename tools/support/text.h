// Bytes from strangers, made safe for a terminal and for JSON.
#pragma once

#include <string>
#include <string_view>

namespace hongyan::tools {

[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

// UTF-8 text as it is, but for control characters, backslashes, marks that turn the direction of text, and
// bytes that are not UTF-8: those become \n, \t, \\, \xNN or \u{NNNN}. One line, which cannot move the cursor
// or set colors.
[[nodiscard]] std::string printable(std::string_view bytes);

[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace hongyan::tools
