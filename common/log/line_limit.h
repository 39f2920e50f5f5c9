// How many log lines of a kind may be written.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "common/base/token_bucket.h"

namespace hongyan::log {

// Lets through some log lines a second, with a burst of as many, and counts the others. One thread; the clock
// is the caller's.
//
//   if (const auto suppressed = limit.allow(now)) log::warn("store", "… suppressed={}", *suppressed);
class LineLimit {
 public:
  explicit LineLimit(double lines_per_second) noexcept : rate_(lines_per_second) {}

  // Set: write the line, and say how many before it were not. Not set: this one is not to be written either.
  [[nodiscard]] std::optional<std::uint64_t> allow(SteadyTime now) noexcept {
    if (!bucket_.take(1, rate_, now)) {
      ++suppressed_;
      return std::nullopt;
    }
    return std::exchange(suppressed_, 0);
  }

 private:
  const double rate_;
  TokenBucket bucket_{SteadyTime{}};  // whose first second's worth does not depend on the clock
  std::uint64_t suppressed_ = 0;
};

}  // namespace hongyan::log
