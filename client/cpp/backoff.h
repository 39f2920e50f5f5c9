// Exponential back-off with jitter. Pure: randomness is given.
#pragma once

#include <algorithm>
#include <functional>

#include "common/base/clock.h"

namespace hongyan::client {

// A number in [0, 1).
using Random = std::function<double()>;

class Backoff {
 public:
  Backoff(Milliseconds min, Milliseconds max, const Random& random) : min_(min), max_(max), random_(random) {}

  // Half to the whole of min, then of twice that, ... of max.
  [[nodiscard]] Milliseconds next() {
    const Milliseconds whole = std::min(max_, min_ * (1L << std::min(step_, 20)));
    ++step_;
    return jittered(whole);
  }
  void reset() noexcept { step_ = 0; }

  [[nodiscard]] Milliseconds jittered(Milliseconds whole) const {
    const auto ms = static_cast<double>(whole.count());
    return Milliseconds(static_cast<std::int64_t>(ms * (0.5 + random_() / 2)));
  }

 private:
  const Milliseconds min_;
  const Milliseconds max_;
  const Random& random_;
  int step_ = 0;
};

}  // namespace hongyan::client
