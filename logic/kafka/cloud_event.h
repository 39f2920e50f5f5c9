// How CloudEvents writes things.
#pragma once

#include <cstdint>
#include <string>

namespace hongyan::logic {

// "2024-01-31T23:59:59.123Z". ms: since 1970.
[[nodiscard]] std::string rfc3339(std::int64_t ms);
// "/apps/demo"
[[nodiscard]] std::string event_source(const std::string& app_id);

}  // namespace hongyan::logic
