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

}  // namespace
}  // namespace hongyan::config
