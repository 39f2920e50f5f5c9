// How many log lines a worker may write.
#pragma once

#include <cstdint>

#include "common/base/token_bucket.h"

namespace hongyan::gate {

// Lets through some log lines a second and counts the others.
class LineLimit {
 public:
  // True: write the line, and say that `suppressed` others were not.
  [[nodiscard]] bool allow(SteadyTime now, std::uint64_t& suppressed) noexcept {
    if (!bucket_.take(1, kLinesPerSecond, now)) {
      ++suppressed_;
      return false;
    }
    suppressed = suppressed_;
    suppressed_ = 0;
    return true;
  }

 private:
  static constexpr double kLinesPerSecond = 10;
  TokenBucket bucket_{SteadyClock::now()};
  std::uint64_t suppressed_ = 0;
};

}  // namespace hongyan::gate
