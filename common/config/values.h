// Texts of configuration values: durations, byte sizes, and common/base/endpoint.h. Pure functions, any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/endpoint.h"
#include "common/base/result.h"

namespace hongyan::config {

using hongyan::Endpoint;
using hongyan::format_endpoint;
using hongyan::parse_endpoint;

// "250ms", "30s", "5m", "1h", "2d": a whole number, not negative, and a unit.
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);
// "4096", "64KiB", "1MiB", "2GiB"; also "512B".
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

// The shortest text that parses to the same value.
[[nodiscard]] std::string format_duration(Milliseconds value);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace hongyan::config
