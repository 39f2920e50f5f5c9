// Formatted text at the end of a statement.
#pragma once

#include <fmt/format.h>

#include <string>

namespace hongyan::logic {

// At the end of `out`. The formatting itself stands in the library: inlined in each file it takes longer to
// compile than all else.
void append_formatted(std::string& out, fmt::string_view format, fmt::format_args args);
template <typename... Args>
void append_to(std::string& out, fmt::format_string<Args...> format, const Args&... args) {
  append_formatted(out, format, fmt::make_format_args(args...));
}

}  // namespace hongyan::logic
