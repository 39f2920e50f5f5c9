// Where to listen or to connect.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace hongyan {

// An unset endpoint has an empty host and is written "".
struct Endpoint {
  std::string host;  // name or address, IPv6 without brackets
  std::uint16_t port = 0;

  [[nodiscard]] bool set() const noexcept { return !host.empty(); }
  bool operator==(const Endpoint&) const = default;
};

// "127.0.0.1:7000", "name:7000", ":7000" (all IPv4 addresses), "[::1]:7000". Port 0: the system chooses.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::string format_endpoint(const Endpoint& endpoint);

}  // namespace hongyan
