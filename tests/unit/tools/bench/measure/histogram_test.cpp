#include "tools/bench/measure/histogram.h"

#include <gtest/gtest.h>

#include <limits>

namespace hongyan::bench {
namespace {

TEST(HistogramTest, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.5), 0U);
}

TEST(HistogramTest, KeepsSmallValuesExactly) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.quantile(0), 1U);
  EXPECT_EQ(histogram.quantile(0.5), 50U);
  EXPECT_EQ(histogram.quantile(0.99), 99U);
  EXPECT_EQ(histogram.quantile(1), 100U);
}

TEST(HistogramTest, KeepsLargeValuesToLessThanOnePercent) {
  for (std::uint64_t value = 1; value < (1ULL << 43); value = value * 3 + 1) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(1ULL << 43);
    const auto found = histogram.quantile(0.5);
    EXPECT_GE(found, value);
    EXPECT_LE(static_cast<double>(found), static_cast<double>(value) * 1.008 + 1) << value;
  }
}

TEST(HistogramTest, TakesTheLargestValues) {
  Histogram histogram;
  histogram.record(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(histogram.max(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(histogram.count(), 1U);
}

TEST(HistogramTest, Adds) {
  Histogram a;
  Histogram b;
  a.record(10);
  b.record(20);
  b.record(30);
  a.add(b);
  EXPECT_EQ(a.count(), 3U);
  EXPECT_EQ(a.max(), 30U);
  EXPECT_EQ(a.quantile(0.5), 20U);
}

}  // namespace
}  // namespace hongyan::bench
