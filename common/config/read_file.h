// Internal to common/config.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/result.h"

namespace hongyan::config::detail {

// The whole file. Errors are ends of a sentence: "the file … cannot be opened".
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit);

}  // namespace hongyan::config::detail
