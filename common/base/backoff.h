// Exponential back-off, with jitter where many would come back at once. Pure: randomness is given.
#pragma once

#include <algorithm>
#include <functional>

#include "common/base/clock.h"

namespace hongyan {

// A number in [0, 1).
using Random = std::function<double()>;

// Half to the whole of it.
[[nodiscard]] inline Milliseconds jittered(Milliseconds whole, const Random& random) {
  const auto ms = static_cast<double>(whole.count());
  return Milliseconds(static_cast<std::int64_t>(ms * (0.5 + random() / 2)));
}

// The pause after `step` others: min, twice that, ... max.
[[nodiscard]] inline Milliseconds doubled(Milliseconds min, Milliseconds max, int step) {
  constexpr int kMostDoublings = 20;
  return std::min(max, min * (1L << std::min(step, kMostDoublings)));
}

// Half to the whole of that.
[[nodiscard]] inline Milliseconds backoff(Milliseconds min, Milliseconds max, int step,
                                          const Random& random) {
  return jittered(doubled(min, max, step), random);
}

// Counts the steps.
class Backoff {
 public:
  // random: outlives it.
  Backoff(Milliseconds min, Milliseconds max, const Random& random) : min_(min), max_(max), random_(random) {}

  [[nodiscard]] Milliseconds next() { return backoff(min_, max_, step_++, random_); }
  void reset() noexcept { step_ = 0; }
  // Nothing was waited for since the beginning, or the last reset().
  [[nodiscard]] bool fresh() const noexcept { return step_ == 0; }

 private:
  const Milliseconds min_;
  const Milliseconds max_;
  const Random& random_;
  int step_ = 0;
};

}  // namespace hongyan
