#include "logic/group/replies.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hongyan::logic {
namespace {

GroupState of_three() {
  GroupState group;
  group.exists = true;
  group.info.name = "three";
  group.info.owner = "olga";
  group.head = 12;
  group.members = {{"mike", 1}, {"mona", 1}, {"olga", 1}};
  return group;
}

GroupAsk question(std::string uid) {
  GroupAsk ask;
  ask.number = 5;
  ask.group = {.app_id = "demo", .group_id = 70};
  ask.uid = std::move(uid);
  return ask;
}

std::vector<std::string> members(const GroupAsk& ask, const GroupState& group) {
  const auto reply = reply_to(ask, group);
  return {reply.result.members().begin(), reply.result.members().end()};
}

TEST(GroupRepliesTest, AMemberHearsOfTheGroup) {
  const auto reply = reply_to(question("mona"), of_three());
  EXPECT_EQ(reply.number, 5U);
  EXPECT_EQ(reply.error.code, Code::kOk);
  EXPECT_EQ(reply.head, 12);
  EXPECT_EQ(reply.result.group().group_id(), 70);
  EXPECT_EQ(reply.result.group().name(), "three");
  EXPECT_EQ(reply.result.group().member_count(), 3);
  EXPECT_EQ(reply.result.members_size(), 0);
}

TEST(GroupRepliesTest, AStrangerHearsOfItsHeadAtMost) {
  auto ask = question("mallory");
  auto reply = reply_to(ask, of_three());
  EXPECT_EQ(reply.error.code, Code::kPermissionDenied);
  EXPECT_FALSE(reply.result.has_group());
  ask.with_group = false;
  reply = reply_to(ask, of_three());
  EXPECT_EQ(reply.error.code, Code::kOk);
  EXPECT_EQ(reply.head, 12);
  EXPECT_FALSE(reply.result.has_group());
  ask.with_members = true;
  EXPECT_EQ(reply_to(ask, of_three()).error.code, Code::kPermissionDenied);
}

TEST(GroupRepliesTest, AServiceReadsAnyGroupThatIsThere) {
  EXPECT_EQ(reply_to(question(""), of_three()).result.group().name(), "three");
  EXPECT_NE(reply_to(question(""), GroupState()).error.code, Code::kOk);
}

TEST(GroupRepliesTest, MembersComeInPagesInOrder) {
  auto ask = question("olga");
  ask.with_members = true;
  ask.limit = 2;
  EXPECT_EQ(members(ask, of_three()), (std::vector<std::string>{"mike", "mona"}));
  ask.offset = 2;
  EXPECT_EQ(members(ask, of_three()), std::vector<std::string>{"olga"});
  ask.offset = 99;
  EXPECT_TRUE(members(ask, of_three()).empty());
}

TEST(GroupRepliesTest, NoPageHasMoreThanTheMost) {
  GroupState group = of_three();
  for (int i = 0; i < 2000; ++i) group.members.emplace("user" + std::to_string(i), 1);
  auto ask = question("olga");
  ask.with_members = true;
  ask.limit = 5000;
  EXPECT_EQ(members(ask, group).size(), kMostMembersOfAPage);
}

}  // namespace
}  // namespace hongyan::logic
