#include "common/base/token_bucket.h"

#include <gtest/gtest.h>

namespace hongyan {
namespace {

TEST(TokenBucketTest, HoldsOneSecondAndRefills) {
  SteadyTime now{};
  TokenBucket bucket(now);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.take(1, 10, now)) << i;
  EXPECT_FALSE(bucket.take(1, 10, now));
  EXPECT_GT(bucket.wait_ms(10), 0U);
  now += Milliseconds(100);
  EXPECT_TRUE(bucket.take(1, 10, now));
  EXPECT_FALSE(bucket.take(1, 10, now));
  now += Milliseconds(60'000);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.take(1, 10, now)) << i;
  EXPECT_FALSE(bucket.take(1, 10, now));
}

TEST(TokenBucketTest, OneLargePacketPasses) {
  SteadyTime now{};
  TokenBucket bucket(now);
  EXPECT_TRUE(bucket.take(5000, 1000, now));
  EXPECT_FALSE(bucket.take(1, 1000, now));
  EXPECT_EQ(bucket.wait_ms(1000), 4001U);
  EXPECT_TRUE(bucket.take(1e9, 0, now));  // no limit
}

TEST(TokenBucketTest, WhoSpendsMoreThanThereIsWaits) {
  SteadyTime now{};
  TokenBucket bucket(now);
  bucket.spend(1500, 1000, now);
  EXPECT_EQ(bucket.wait_ms(1000), 501U);
  now += Milliseconds(400);
  bucket.spend(0, 1000, now);
  EXPECT_LE(bucket.wait_ms(1000), 101U);
  EXPECT_GE(bucket.wait_ms(1000), 100U);
  now += Milliseconds(101);
  bucket.spend(0, 1000, now);
  EXPECT_EQ(bucket.wait_ms(1000), 0U);
}

TEST(TokenBucketTest, TheBurstIsWhatMayPassAtOnce) {
  constexpr Rate kRate{.per_second = 10, .burst = 50};
  SteadyTime now{};
  TokenBucket bucket(now);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(bucket.take(1, kRate, now)) << i;
  EXPECT_FALSE(bucket.take(1, kRate, now));
  now += Milliseconds(1000);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.take(1, kRate, now)) << i;
  EXPECT_FALSE(bucket.take(1, kRate, now));
  now += Milliseconds(3'600'000);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(bucket.take(1, kRate, now)) << i;
  EXPECT_FALSE(bucket.take(1, kRate, now));
}

TEST(TokenBucketTest, WhatIsGivenBackIsThereAgainUpToTheBurst) {
  constexpr Rate kRate{.per_second = 1, .burst = 10};
  const SteadyTime now{};
  TokenBucket bucket(now);
  EXPECT_TRUE(bucket.take(100, kRate, now));
  EXPECT_EQ(bucket.wait_ms(1), 90'001U);
  bucket.give_back(100, kRate);
  EXPECT_EQ(bucket.wait_ms(1), 0U);
  bucket.give_back(100, kRate);
  EXPECT_TRUE(bucket.take(11, kRate, now));
  EXPECT_FALSE(bucket.take(1, kRate, now));
}

TEST(TokenBucketTest, AWaitBeyondAllBoundsIsADay) {
  const SteadyTime now{};
  TokenBucket bucket(now);
  bucket.spend(1e18, 1, now);
  EXPECT_EQ(bucket.wait_ms(1), 86'400'001U);
}

}  // namespace
}  // namespace hongyan
