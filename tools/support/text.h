// Bytes from strangers, made safe for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace hongyan::tools {

// UTF-8 text as it is, but for control characters, backslashes, marks that turn the direction of text, and
// bytes that are not UTF-8: those become \n, \t, \\, \xNN or \u{NNNN}. One line, which cannot move the cursor
// or set colors.
[[nodiscard]] std::string printable(std::string_view bytes);

}  // namespace hongyan::tools
