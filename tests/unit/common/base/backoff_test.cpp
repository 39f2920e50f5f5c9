#include "common/base/backoff.h"

#include <gtest/gtest.h>

#include <vector>

namespace hongyan {
namespace {

constexpr Milliseconds kMin{100};
constexpr Milliseconds kMax{1'000};

std::vector<std::int64_t> pauses(Backoff& backoff, int count) {
  std::vector<std::int64_t> out;
  for (int i = 0; i < count; ++i) out.push_back(backoff.next().count());
  return out;
}

TEST(BackoffTest, DoublesUpToTheMaximumAndBeginsAgain) {
  const Random least = [] { return 0.0; };
  Backoff backoff(kMin, kMax, least);
  EXPECT_EQ(pauses(backoff, 6), (std::vector<std::int64_t>{50, 100, 200, 400, 500, 500}));
  backoff.reset();
  EXPECT_EQ(pauses(backoff, 2), (std::vector<std::int64_t>{50, 100}));
}

TEST(BackoffTest, IsHalfToTheWhole) {
  EXPECT_EQ(jittered(Milliseconds(100), [] { return 0.0; }), Milliseconds(50));
  EXPECT_EQ(jittered(Milliseconds(100), [] { return 0.5; }), Milliseconds(75));
  EXPECT_EQ(jittered(Milliseconds(100), [] { return 0.999; }), Milliseconds(99));
}

TEST(BackoffTest, WithoutJitterItIsTheWhole) {
  EXPECT_EQ(doubled(kMin, kMax, 0), kMin);
  EXPECT_EQ(doubled(kMin, kMax, 3), Milliseconds(800));
  EXPECT_EQ(doubled(kMin, kMax, 4), kMax);
  EXPECT_EQ(doubled(kMin, kMax, 1'000'000), kMax);
}

TEST(BackoffTest, StaysAtTheMaximumHoweverManySteps) {
  const Random least = [] { return 0.0; };
  for (const int step : {20, 63, 64, 1'000'000}) {
    EXPECT_EQ(backoff(kMin, kMax, step, least), Milliseconds(500)) << step;
  }
}

}  // namespace
}  // namespace hongyan
