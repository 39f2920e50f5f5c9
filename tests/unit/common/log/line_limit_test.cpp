#include "common/log/line_limit.h"

#include <gtest/gtest.h>

namespace hongyan::log {
namespace {

TEST(LineLimitTest, LetsABurstThroughAndTellsHowManyItDidNot) {
  LineLimit limit(3);
  SteadyTime now{std::chrono::hours(1)};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.allow(now), 0U) << i;
  EXPECT_FALSE(limit.allow(now));
  EXPECT_FALSE(limit.allow(now));
  now += std::chrono::seconds(10);
  EXPECT_EQ(limit.allow(now), 2U);
  EXPECT_EQ(limit.allow(now), 0U) << "they are told once";
}

}  // namespace
}  // namespace hongyan::log
