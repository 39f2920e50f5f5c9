#include "logic/user/user_groups.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

Membership stay(std::int64_t group, std::int64_t joined, std::int64_t left = 0, std::int64_t large_from = 0) {
  return {.group_id = group,
          .changed_seq = left == 0 ? joined : left,
          .joined_seq = joined,
          .left_seq = left,
          .large_from_seq = large_from};
}

TEST(UserGroupsTest, CountsMembershipsAndListsWhatIsLarge) {
  UserGroups groups;
  EXPECT_TRUE(groups.empty());
  groups.learn(stay(7, 1));
  groups.learn(stay(7, 1));
  groups.learn(stay(8, 3, 0, 2));
  EXPECT_EQ(groups.memberships(), 2U);
  EXPECT_EQ(groups.large(), std::set<std::int64_t>{8});
  groups.learn(stay(8, 3, 9, 2));
  EXPECT_EQ(groups.memberships(), 1U);
  EXPECT_EQ(groups.large(), std::set<std::int64_t>{8});  // 4 to 8 may be read
  ASSERT_NE(groups.find(8), nullptr);
  EXPECT_FALSE(groups.find(8)->is_member());
}

TEST(UserGroupsTest, WhatHoldsNothingToReadIsForgotten) {
  UserGroups groups;
  groups.learn(stay(7, 1));
  groups.learn(stay(7, 1, 5));
  EXPECT_TRUE(groups.empty());
  EXPECT_EQ(groups.memberships(), 0U);
  // Large, but nothing was said before it ended.
  groups.learn(stay(8, 1, 0, 2));
  groups.learn(stay(8, 1, 2, 2));
  EXPECT_TRUE(groups.empty());
  EXPECT_TRUE(groups.large().empty());
  // An end that is heard of alone.
  groups.learn(stay(9, 1, 5));
  EXPECT_TRUE(groups.empty());
  // Who comes again is there again.
  groups.learn(stay(7, 8));
  EXPECT_EQ(groups.memberships(), 1U);
  groups.learn(stay(7, 1, 5));
  EXPECT_EQ(groups.memberships(), 1U);
}

TEST(UserGroupsTest, AnEarlierStayThatMayBeReadKeepsTheGroup) {
  UserGroups groups;
  groups.learn(stay(7, 1, 9, 2));
  groups.learn(stay(7, 20, 0, 2));
  groups.learn(stay(7, 20, 21, 2));
  ASSERT_NE(groups.find(7), nullptr);
  EXPECT_EQ(groups.find(7)->readable_after(0)->last, 8);
}

}  // namespace
}  // namespace hongyan::logic
