#include "logic/kafka/cloud_event.h"

#include <fmt/chrono.h>

namespace hongyan::logic {

std::string rfc3339(std::int64_t ms) {
  constexpr std::int64_t kMsPerSecond = 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / kMsPerSecond)),
                     ms % kMsPerSecond);
}

std::string event_source(const std::string& app_id) { return "/apps/" + app_id; }

}  // namespace hongyan::logic
