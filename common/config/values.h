// Texts of configuration values: durations, byte sizes, endpoints. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace hongyan::config {

// Where to listen or to connect. An unset endpoint has an empty host and is written "".
struct Endpoint {
  std::string host;  // name or address, IPv6 without brackets
  std::uint16_t port = 0;

  [[nodiscard]] bool set() const noexcept { return !host.empty(); }
  bool operator==(const Endpoint&) const = default;
};

// "250ms", "30s", "5m", "1h", "2d": a whole number, not negative, and a unit.
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);
// "4096", "64KiB", "1MiB", "2GiB"; also "512B".
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
// "127.0.0.1:7000", "name:7000", ":7000" (all IPv4 addresses), "[::1]:7000". Port 0: the system chooses.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

// The shortest text that parses to the same value.
[[nodiscard]] std::string format_duration(Milliseconds value);
[[nodiscard]] std::string format_size(std::uint64_t bytes);
[[nodiscard]] std::string format_endpoint(const Endpoint& endpoint);

}  // namespace hongyan::config
