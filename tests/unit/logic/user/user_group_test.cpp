#include "logic/user/user_group.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

Membership stay(std::int64_t joined, std::int64_t changed, std::int64_t left = 0,
                std::int64_t large_from = 1) {
  return {.group_id = 7,
          .changed_seq = changed,
          .joined_seq = joined,
          .left_seq = left,
          .large_from_seq = large_from};
}

TEST(UserGroupTest, OfAStayTheLaterChangeWinsWhicheverIsHeardFirst) {
  UserGroup group;
  EXPECT_FALSE(group.is_member());
  group.learn(stay(3, 9, 9));
  group.learn(stay(3, 3));
  EXPECT_FALSE(group.is_member());
  EXPECT_EQ(group.membership().left_seq, 9);
}

TEST(UserGroupTest, WhoComesBackReadsBothStaysAndNothingBetween) {
  UserGroup group;
  group.learn(stay(3, 3));
  group.learn(stay(3, 10, 10));
  group.learn(stay(20, 20));
  EXPECT_TRUE(group.is_member());
  auto next = group.readable_after(0);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->first, 4);
  EXPECT_EQ(next->last, 9);
  next = group.readable_after(9);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->first, 21);
  EXPECT_EQ(next->last, UserGroup::kNoEnd);
}

TEST(UserGroupTest, AnEarlierStayThatIsHeardOfLateCountsOnce) {
  UserGroup group;
  group.learn(stay(20, 20));
  EXPECT_EQ(group.readable_after(0)->first, 21);
  group.learn(stay(3, 3));  // its end is not known yet
  EXPECT_EQ(group.readable_after(0)->first, 21);
  group.learn(stay(3, 10, 10));
  group.learn(stay(3, 10, 10));
  EXPECT_EQ(group.readable_after(0)->first, 4);
  EXPECT_EQ(group.readable_after(9)->first, 21);
}

TEST(UserGroupTest, NothingIsReadOfAGroupThatIsNotLargeNorBeforeItWas) {
  UserGroup group;
  group.learn(stay(3, 3, 0, 0));
  EXPECT_FALSE(group.large());
  EXPECT_FALSE(group.readable_after(0));
  group.learn(stay(3, 12, 0, 13));
  EXPECT_TRUE(group.large());
  EXPECT_EQ(group.readable_after(0)->first, 13);
}

TEST(UserGroupTest, ADeviceHoldsTheGroupUpToWhatItMayReadNext) {
  UserGroup group;
  group.learn(stay(3, 3));
  EXPECT_EQ(group.cursor(DeviceClass::kMobile), 3);
  group.acked[static_cast<std::size_t>(DeviceClass::kMobile)] = 8;
  EXPECT_EQ(group.cursor(DeviceClass::kMobile), 8);
  EXPECT_EQ(group.cursor(DeviceClass::kWeb), 3);
}

TEST(UserGroupTest, WhoHasLeftHasNothingMoreToRead) {
  UserGroup group;
  group.learn(stay(3, 10, 10));
  EXPECT_EQ(group.readable_after(3)->last, 9);
  EXPECT_FALSE(group.readable_after(9));
}

}  // namespace
}  // namespace hongyan::logic
