#include "tools/bench/measure/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hongyan::bench {

namespace {

// Below 2^kSubBits a bucket is one value; above, each power of two has 2^(kSubBits - 1) buckets.
constexpr int kSubBits = 8;
constexpr int kMaxBits = 44;
constexpr std::size_t kHalf = std::size_t{1} << (kSubBits - 1);
constexpr std::size_t kBuckets = kHalf * (kMaxBits - kSubBits + 2);

std::size_t index_of(std::uint64_t value) noexcept {
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kSubBits);
  return std::min(kBuckets - 1, static_cast<std::size_t>(shift) * kHalf + (value >> shift));
}

std::uint64_t upper_end(std::size_t index) noexcept {
  if (index < 2 * kHalf) return index;
  const std::size_t shift = index / kHalf - 1;
  return ((index % kHalf + kHalf + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(kBuckets) {}

void Histogram::record(std::uint64_t nanoseconds) noexcept {
  ++buckets_[index_of(nanoseconds)];
  ++count_;
  max_ = std::max(max_, nanoseconds);
}

void Histogram::record_since(SteadyTime from, SteadyTime to) noexcept {
  const auto passed = std::max(SteadyClock::duration::zero(), to - from);
  record(static_cast<std::uint64_t>(std::chrono::nanoseconds(passed).count()));
}

void Histogram::add(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double q) const noexcept {
  if (count_ == 0) return 0;
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(max_, upper_end(i));
  }
  return max_;
}

}  // namespace hongyan::bench
