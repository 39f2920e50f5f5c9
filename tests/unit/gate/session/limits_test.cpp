#include <gtest/gtest.h>

#include "gate/session/connection_limits.h"
#include "gate/session/rate_limit.h"

namespace hongyan::gate {
namespace {

using net::asio::ip::make_address;

TEST(ConnectionLimitsTest, CountsInAllAndByAddress) {
  using Admission = ConnectionLimits::Admission;
  ConnectionLimits limits(3, 2);
  const auto one = make_address("10.0.0.1");
  const auto two = make_address("10.0.0.2");
  EXPECT_EQ(limits.admit(one), Admission::kAdmitted);
  EXPECT_EQ(limits.admit(one), Admission::kAdmitted);
  EXPECT_EQ(limits.admit(one), Admission::kTooManyFromAddress);
  EXPECT_EQ(limits.admit(two), Admission::kAdmitted);
  EXPECT_EQ(limits.admit(two), Admission::kTooMany);
  limits.release(one);
  EXPECT_EQ(limits.open(), 2U);
  EXPECT_EQ(limits.admit(one), Admission::kAdmitted);
}

TEST(ConnectionLimitsTest, TakesAnIpv6NetworkForOneAddress) {
  ConnectionLimits limits(10, 1);
  EXPECT_EQ(limits.admit(make_address("2001:db8::1")), ConnectionLimits::Admission::kAdmitted);
  EXPECT_EQ(limits.admit(make_address("2001:db8::2")), ConnectionLimits::Admission::kTooManyFromAddress);
  EXPECT_EQ(limits.admit(make_address("2001:db8:0:1::1")), ConnectionLimits::Admission::kAdmitted);
}

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

}  // namespace
}  // namespace hongyan::gate
