#include "logic/store/mysql/sql/append.h"

#include <iterator>

namespace hongyan::logic {

void append_formatted(std::string& out, fmt::string_view format, fmt::format_args args) {
  fmt::vformat_to(std::back_inserter(out), format, args);
}

}  // namespace hongyan::logic
