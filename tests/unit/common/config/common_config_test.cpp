#include "common/config/common_config.h"

#include <gtest/gtest.h>

namespace hongyan::config {
namespace {

TEST(CommonConfigTest, AWildcardAddressIsNotAdvertised) {
  ClusterConfig cluster;
  const Endpoint everywhere{.host = "0.0.0.0", .port = 7000};
  EXPECT_EQ(unreachable_advertise(everywhere, "", cluster), "");
  cluster.iplists = {{.host = "127.0.0.1", .port = 7201}};
  EXPECT_NE(unreachable_advertise(everywhere, "", cluster), "");
  EXPECT_EQ(unreachable_advertise(everywhere, "gate1.example.com", cluster), "");
  EXPECT_EQ(unreachable_advertise({.host = "10.0.0.1", .port = 7000}, "", cluster), "");
}

TEST(CommonConfigTest, AnAdvertisedAddressMayHaveAPort) {
  EXPECT_EQ(parse_advertised("").value(), (Endpoint{}));
  EXPECT_EQ(parse_advertised("logic1").value(), (Endpoint{.host = "logic1", .port = 0}));
  EXPECT_EQ(parse_advertised("logic1:7100").value(), (Endpoint{.host = "logic1", .port = 7100}));
  EXPECT_EQ(parse_advertised("fd00::1").value(), (Endpoint{.host = "fd00::1", .port = 0}));
  EXPECT_EQ(parse_advertised("[fd00::1]:7100").value(), (Endpoint{.host = "fd00::1", .port = 7100}));
  for (const auto* wrong : {":7100", "logic1:", "logic1:0", "logic1:seven", "[fd00::1]"})
    EXPECT_FALSE(parse_advertised(wrong)) << wrong;
}

}  // namespace
}  // namespace hongyan::config
