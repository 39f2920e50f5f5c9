// The two clocks. Wall time is for people and for ids; every timeout uses the monotonic one.
#pragma once

#include <chrono>
#include <cstdint>

namespace hongyan {

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;
using Milliseconds = std::chrono::milliseconds;

// Milliseconds since 1970-01-01 UTC. Any thread.
[[nodiscard]] inline std::int64_t wall_ms() noexcept {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace hongyan
