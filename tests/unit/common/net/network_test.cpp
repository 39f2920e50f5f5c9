#include "common/net/network.h"

#include <gtest/gtest.h>

namespace hongyan::net {
namespace {

bool in(std::string_view network, const std::string& address) {
  const auto parsed = Network::parse(network);
  EXPECT_TRUE(parsed.has_value()) << network;
  return parsed && parsed->contains(asio::ip::make_address(address));
}

TEST(NetworkTest, ContainsItsAddresses) {
  EXPECT_TRUE(in("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(in("192.0.2.64/26", "192.0.2.127"));
  EXPECT_FALSE(in("192.0.2.64/26", "192.0.2.128"));
  EXPECT_TRUE(in("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(in("0.0.0.0/0", "::1"));
  EXPECT_TRUE(in("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(in("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(in("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(in("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(in("::1", "::1"));
}

TEST(NetworkTest, TakesAMappedAddressForTheIpv4AddressThatItIs) {
  EXPECT_TRUE(in("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(in("::ffff:192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(in("::/0", "10.1.2.3"));
}

TEST(NetworkTest, RefusesWhatIsNone) {
  for (const char* text :
       {"", "localhost", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8",
        "2001:db8::/129", "2001:db8::1/64", "10.0.0/8", "fe80::1%lo", "/8", "::ffff:10.0.0.0/104"}) {
    EXPECT_FALSE(Network::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Network::parse(std::string_view("10.0.0.1\0x", 10)).has_value());
  EXPECT_EQ(check_networks({"10.0.0.0/8", "::1"}), "");
  EXPECT_NE(check_networks({"10.0.0.0/8", "nowhere"}).find("nowhere"), std::string::npos);
}

TEST(NetworkTest, MasksAddresses) {
  EXPECT_EQ(masked(asio::ip::make_address("192.0.2.129"), 25), asio::ip::make_address("192.0.2.128"));
  EXPECT_EQ(masked(asio::ip::make_address("2001:db8:1:2:3::4"), 64),
            asio::ip::make_address("2001:db8:1:2::"));
  EXPECT_EQ(masked(asio::ip::make_address("192.0.2.129"), 64), asio::ip::make_address("192.0.2.129"));
}

}  // namespace
}  // namespace hongyan::net
