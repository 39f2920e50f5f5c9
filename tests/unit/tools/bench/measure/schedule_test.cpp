#include "tools/bench/measure/schedule.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tools/bench/actors/pacer.h"

namespace hongyan::bench {
namespace {

using std::chrono::seconds;

constexpr SteadyTime kStart{std::chrono::hours(1)};

TEST(ScheduleTest, NothingIsDueBeforeItsTime) {
  Schedule schedule(kStart, seconds(2), 10);
  EXPECT_FALSE(schedule.take(kStart - seconds(1)));
  EXPECT_EQ(schedule.take(kStart), kStart);
  EXPECT_FALSE(schedule.take(kStart + seconds(1)));
  EXPECT_EQ(schedule.next(), kStart + seconds(2));
}

TEST(ScheduleTest, WhatIsLateKeepsItsIntendedTime) {
  Schedule schedule(kStart, seconds(1), 10);
  const auto now = kStart + seconds(5);  // a sender that was held up for five seconds
  for (int k = 0; k <= 5; ++k) EXPECT_EQ(schedule.take(now), kStart + seconds(k));
  EXPECT_FALSE(schedule.take(now));
  EXPECT_EQ(schedule.missed(), 0U);
}

TEST(ScheduleTest, LeavesTheOldestOutBeyondTheBacklog) {
  Schedule schedule(kStart, seconds(1), 3);
  const auto now = kStart + seconds(10);
  EXPECT_EQ(schedule.take(now), kStart + seconds(7));
  EXPECT_EQ(schedule.missed(), 7U);
  EXPECT_EQ(schedule.take(now), kStart + seconds(8));
  EXPECT_EQ(schedule.missed(), 7U);
}

TEST(ScheduleTest, DoesNotDrift) {
  Schedule schedule(kStart, std::chrono::duration<double>(1.0 / 3), 10'000'000);
  for (int k = 0; k < 3'000'000; ++k) ASSERT_TRUE(schedule.take(kStart + seconds(1'000'000)));
  EXPECT_LT(std::abs((schedule.next() - (kStart + seconds(1'000'000))) / std::chrono::microseconds(1)), 10);
}

TEST(PaceTest, SendersTakeTurns) {
  const Pace pace{.first = kStart, .rate = 4, .senders = 2, .backlog = 10};
  Schedule even = pace.schedule_of(0);
  Schedule odd = pace.schedule_of(1);
  EXPECT_EQ(even.next(), kStart);
  EXPECT_EQ(odd.next(), kStart + Milliseconds(250));
  ASSERT_TRUE(even.take(kStart));
  EXPECT_EQ(even.next(), kStart + Milliseconds(500));
}

}  // namespace
}  // namespace hongyan::bench
