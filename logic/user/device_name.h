// Names of device types for people and other programs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proto/client.pb.h"

namespace hongyan::logic {

// "IOS"; UNKNOWN for one that only a newer version knows.
[[nodiscard]] inline std::string device_name(std::uint32_t type) {
  constexpr std::string_view kPrefix = "DEVICE_TYPE_";
  const auto& name = client::DeviceType_Name(static_cast<client::DeviceType>(type));
  return name.empty() ? "UNKNOWN" : name.substr(kPrefix.size());
}

}  // namespace hongyan::logic
