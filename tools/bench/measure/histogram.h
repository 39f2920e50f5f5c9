// Latencies in buckets of at most 0.8 % width (as HdrHistogram has them).
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/clock.h"

namespace hongyan::bench {

// Values in nanoseconds, up to about five hours; larger ones count as that. Fixed size (about 35 KB). One
// thread.
class Histogram {
 public:
  Histogram();

  void record(std::uint64_t nanoseconds) noexcept;
  // From one time to a later one.
  void record_since(SteadyTime from, SteadyTime to) noexcept;
  void add(const Histogram& other) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  // q in [0, 1]; the upper end of the bucket that holds it, at most max(). 0 when empty.
  [[nodiscard]] std::uint64_t quantile(double q) const noexcept;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace hongyan::bench
