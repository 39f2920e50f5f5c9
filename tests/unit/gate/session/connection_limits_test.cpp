#include <gtest/gtest.h>

#include "gate/session/connection_limits.h"

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

TEST(ConnectionLimitsTest, TellsIpv4ClientsOfAnIpv6SocketApart) {
  ConnectionLimits limits(10, 1);
  const auto admit = [&](const char* address) {
    return limits.admit(net::asio::ip::make_address(address)) == ConnectionLimits::Admission::kAdmitted;
  };
  EXPECT_TRUE(admit("::ffff:192.0.2.1"));
  EXPECT_TRUE(admit("::ffff:192.0.2.2"));
  EXPECT_FALSE(admit("::ffff:192.0.2.1"));
  EXPECT_FALSE(admit("192.0.2.2"));
}

TEST(ConnectionLimitsTest, TakesAnIpv6NetworkForOneAddress) {
  ConnectionLimits limits(10, 1);
  EXPECT_EQ(limits.admit(make_address("2001:db8::1")), ConnectionLimits::Admission::kAdmitted);
  EXPECT_EQ(limits.admit(make_address("2001:db8::2")), ConnectionLimits::Admission::kTooManyFromAddress);
  EXPECT_EQ(limits.admit(make_address("2001:db8:0:1::1")), ConnectionLimits::Admission::kAdmitted);
}

}  // namespace
}  // namespace hongyan::gate
