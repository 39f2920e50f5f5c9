// Kinds of device that exclude each other at login.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hongyan {

enum class DeviceClass : std::uint8_t { kUnknown, kMobile, kWeb, kDesktop, kMiniProgram };
inline constexpr std::size_t kDeviceClassCount = 5;

// device_type: the protocol's DeviceType, as it came (numbers beyond the known ones are kUnknown).
[[nodiscard]] constexpr DeviceClass device_class(std::uint32_t device_type) noexcept {
  switch (device_type) {
    case 1:
    case 2:
      return DeviceClass::kMobile;
    case 3:
      return DeviceClass::kWeb;
    case 4:
    case 5:
    case 6:
      return DeviceClass::kDesktop;
    case 7:
      return DeviceClass::kMiniProgram;
    default:
      return DeviceClass::kUnknown;
  }
}

}  // namespace hongyan
