#include "logic/upload/cloud_event.h"

#include <fmt/chrono.h>

#include "proto/client.pb.h"

namespace hongyan::logic {

std::string rfc3339(std::int64_t ms) {
  constexpr std::int64_t kMsPerSecond = 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / kMsPerSecond)),
                     ms % kMsPerSecond);
}

std::string event_source(const std::string& app_id) { return "/apps/" + app_id; }

std::string device_name(std::uint32_t type) {
  const auto& name = client::DeviceType_Name(static_cast<client::DeviceType>(type));
  constexpr std::string_view kPrefix = "DEVICE_TYPE_";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : std::to_string(type);
}

}  // namespace hongyan::logic
