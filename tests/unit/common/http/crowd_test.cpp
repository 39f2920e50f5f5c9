#include "common/http/crowd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace hongyan::http {
namespace {

using ::testing::ElementsAre;

class CrowdTest : public ::testing::Test {
 protected:
  // Null: there was no room.
  std::unique_ptr<Crowd::Seat> enter(const std::string& name, const std::string& address) {
    auto seat = std::make_unique<Crowd::Seat>([this, name] { ended_.push_back(name); });
    return crowd_->enter(*seat, net::asio::ip::make_address(address)) ? std::move(seat) : nullptr;
  }
  void limit(Crowd::Limits limits) { crowd_.emplace(std::move(limits)); }

  std::optional<Crowd> crowd_;
  std::vector<std::string> ended_;
};

TEST_F(CrowdTest, AFullServerEndsWhoHasBeenIdleLongest) {
  limit({.total = 3});
  const auto a = enter("a", "192.0.2.1");
  const auto b = enter("b", "192.0.2.2");
  const auto c = enter("c", "192.0.2.3");
  crowd_->set_idle(*a, false);
  crowd_->set_idle(*a, true);  // it said something: b is the longest now
  const auto d = enter("d", "192.0.2.4");
  ASSERT_TRUE(d);
  EXPECT_THAT(ended_, ElementsAre("b"));
  EXPECT_EQ(crowd_->size(), 3U);
  crowd_->leave(*b);  // as its coroutine does later
  EXPECT_EQ(crowd_->size(), 3U);
}

TEST_F(CrowdTest, NobodyWhoIsBusyIsEnded) {
  limit({.total = 1});
  const auto a = enter("a", "192.0.2.1");
  crowd_->set_idle(*a, false);
  EXPECT_FALSE(enter("b", "192.0.2.2"));
  EXPECT_THAT(ended_, ElementsAre());
  crowd_->leave(*a);
  EXPECT_TRUE(enter("b", "192.0.2.2"));
}

TEST_F(CrowdTest, AnAddressWithTooManyEndsItsOwn) {
  limit({.total = 100, .by_address = 2});
  const auto other = enter("other", "198.51.100.1");
  const auto a = enter("a", "192.0.2.1");
  const auto b = enter("b", "192.0.2.1");
  const auto c = enter("c", "192.0.2.1");
  ASSERT_TRUE(c);
  EXPECT_THAT(ended_, ElementsAre("a"));
  crowd_->set_idle(*b, false);
  crowd_->set_idle(*c, false);
  EXPECT_FALSE(enter("d", "192.0.2.1"));
  EXPECT_THAT(ended_, ElementsAre("a"));
}

TEST_F(CrowdTest, AddressesOfOneIpv6NetworkAreOne) {
  limit({.total = 100, .by_address = 1});
  const auto a = enter("a", "2001:db8::1");
  const auto b = enter("b", "2001:db8::2:0:0:1");
  const auto c = enter("c", "2001:db8:0:1::1");
  EXPECT_THAT(ended_, ElementsAre("a"));
  const auto v4 = enter("v4", "192.0.2.1");
  const auto mapped = enter("mapped", "::ffff:192.0.2.1");
  EXPECT_THAT(ended_, ElementsAre("a", "v4"));
}

TEST_F(CrowdTest, ExemptNetworksCountInAllOnly) {
  limit({.total = 3, .by_address = 1, .exempt = net::parse_networks({"10.0.0.0/8"})});
  const auto a = enter("a", "10.0.0.1");
  const auto b = enter("b", "10.0.0.1");
  const auto c = enter("c", "::ffff:10.0.0.1");
  EXPECT_THAT(ended_, ElementsAre());
  const auto d = enter("d", "10.0.0.1");
  EXPECT_THAT(ended_, ElementsAre("a"));
}

}  // namespace
}  // namespace hongyan::http
