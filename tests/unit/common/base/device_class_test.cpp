#include "common/base/device_class.h"

#include <gtest/gtest.h>

namespace hongyan {
namespace {

TEST(DeviceClassTest, FollowsTheProtocol) {
  EXPECT_EQ(device_class(0), DeviceClass::kUnknown);
  EXPECT_EQ(device_class(1), device_class(2));
  EXPECT_EQ(device_class(3), DeviceClass::kWeb);
  EXPECT_EQ(device_class(4), device_class(6));
  EXPECT_EQ(device_class(7), DeviceClass::kMiniProgram);
  EXPECT_EQ(device_class(99), DeviceClass::kUnknown);
}

}  // namespace
}  // namespace hongyan
