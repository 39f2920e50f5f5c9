// What clients ask about groups.
#include "logic/group/group_calls.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

class GroupCallsTest : public GroupsHarness {};

TEST_F(GroupCallsTest, OnlyMembersSend) {
  const auto group = create("alice", {"bob"});
  send_to_group(1, "mallory", group, "let me in");
  send_to_group(2, "alice", group + 1, "no such group");
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(error_of(2), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(stored(group).rows.size(), 1U);
  EXPECT_TRUE((shard_of("mallory").outbox[{"demo", "mallory"}].empty()));
}

// A shard is slow: the command is answered before the new member's own row is there.
TEST_F(GroupCallsTest, WhoWasAddedButHasNotHeardIsRefusedForNowOnly) {
  const auto [group, sender, far] = apart();
  MemoryShard& away = shard_of(far);
  away.refuse = true;
  ctrl(1, sender, client::CTRL_TYPE_ADD_MEMBERS, group, {far});
  settle();
  pass(Milliseconds(2100));
  away.refuse = false;
  send_to_group(2, far, group, "too early");
  settle();
  EXPECT_EQ(error_of(2), client::ERROR_CODE_UNAVAILABLE);
  pass(Milliseconds(2000));
  send_to_group(3, far, group, "now");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(3).has_error());
}

TEST_F(GroupCallsTest, NobodyIsMadeAnOwnerByAClient) {
  ctrl(1, "mallory", client::CTRL_TYPE_CREATE_GROUP, 0, {}, {}, "victim");
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_TRUE((shard_of("mallory").outbox[{"demo", "mallory"}].empty()));
  ctrl(2, "mallory", client::CTRL_TYPE_CREATE_GROUP, 0, {}, {}, "mallory");
  settle();
  EXPECT_EQ(result_of(2).group().owner(), "mallory");
}

TEST_F(GroupCallsTest, WhoIsInTooManyGroupsIsNotPutIntoMore) {
  group_config_.max_groups_of_user = 2;
  const auto one = create("mallory", {"victim"});
  create("mallory", {"victim"});
  ctrl(1, "eve", client::CTRL_TYPE_CREATE_GROUP, 0, {"bob", "victim"});
  const auto own = create("trudy", {});
  ctrl(2, "trudy", client::CTRL_TYPE_ADD_MEMBERS, own, {"victim"}, "add");
  ctrl(3, "trudy", client::CTRL_TYPE_ADD_MEMBERS, own, {"bob"});
  ctrl(4, "mallory", client::CTRL_TYPE_CREATE_GROUP, 0, {"bob"});  // herself
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_FAILED_PRECONDITION);
  EXPECT_EQ(error_of(2), client::ERROR_CODE_FAILED_PRECONDITION);
  EXPECT_EQ(result_of(3).members_size(), 1);
  EXPECT_EQ(error_of(4), client::ERROR_CODE_FAILED_PRECONDITION);
  EXPECT_EQ(inbox("victim").size(), 2U);
  constexpr auto kMemberships = static_cast<std::size_t>(Limited::kMemberships);
  EXPECT_EQ(counters_[0].limited[kMemberships].get() + counters_[1].limited[kMemberships].get(), 3U);
  // Who leaves one may be in another.
  ctrl(5, "victim", client::CTRL_TYPE_EXIT_GROUP, one);
  settle();
  ctrl(6, "trudy", client::CTRL_TYPE_ADD_MEMBERS, own, {"victim"}, "add again");
  settle();
  EXPECT_EQ(result_of(6).members_size(), 1);
  // What was done stays done, and is answered so.
  ctrl(7, "trudy", client::CTRL_TYPE_ADD_MEMBERS, own, {"victim"}, "add again");
  settle();
  EXPECT_EQ(body_of<client::CtrlSendResp>(7).msg_id(), body_of<client::CtrlSendResp>(6).msg_id());
}

TEST_F(GroupCallsTest, WhatIsSentBehindACommandThatAddsDoesNotOvertakeIt) {
  const auto group = create("alice", {"bob"});
  restart();
  acquire();
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"carol"});
  send_to_group(2, "alice", group, "one");
  ctrl(3, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"dave"});
  send_to_group(4, "alice", group, "two");
  settle();
  EXPECT_EQ(inbox("carol"), (std::vector<std::string>{"#", "one", "#", "two"}));
  EXPECT_EQ(inbox("dave"), (std::vector<std::string>{"#", "two"}));
}

TEST_F(GroupCallsTest, StorageThatCannotSayHowManyGroupsKeepsNobodyOut) {
  const auto [group, sender, far] = apart();
  shard_of(far).is_down = true;
  ctrl(1, sender, client::CTRL_TYPE_ADD_MEMBERS, group, {far});
  settle();
  pass(Milliseconds(2100));
  EXPECT_EQ(result_of(1).members_size(), 1);
}

TEST_F(GroupCallsTest, SoManyListsOfGroupsAreUnderWay) {
  // Its owner is another thread, whose answer takes a turn.
  std::int64_t group = 0;
  int groups = 0;
  do {
    group = create("alice", {"bob"});
    ++groups;
  } while (slot_of_group("demo", group) % kThreads == slot_of("demo", "alice") % kThreads);
  for (std::uint32_t i = 1; i <= 4; ++i) ctrl(i, "alice", client::CTRL_TYPE_LIST_MY_GROUPS, 0);
  settle();
  EXPECT_EQ(result_of(1).groups_size(), std::min(groups, 20));
  EXPECT_EQ(result_of(2).groups_size(), std::min(groups, 20));
  EXPECT_EQ(error_of(3), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_EQ(error_of(4), client::ERROR_CODE_RATE_LIMITED);
  ctrl(5, "alice", client::CTRL_TYPE_LIST_MY_GROUPS, 0);
  settle();
  EXPECT_EQ(result_of(5).groups_size(), std::min(groups, 20));
}

TEST_F(GroupCallsTest, AnAppMayLeaveInvitingToTheOwner) {
  AppRules rules;
  rules.group_invite = "owner";
  rules_.set("demo", rules);
  restart();
  acquire();
  const auto group = create("alice", {"bob"});
  ctrl(1, "bob", client::CTRL_TYPE_ADD_MEMBERS, group, {"carol"});
  ctrl(2, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"dave"});
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(result_of(2).members_size(), 1);
  EXPECT_TRUE(inbox("carol").empty());
}

TEST_F(GroupCallsTest, AResendOfAMessageKeepsItsIdAndStoresNothing) {
  const auto group = create("alice", {"bob"});
  send_to_group(1, "alice", group, "once", "same");
  settle();
  send_to_group(2, "alice", group, "once", "same");
  settle();
  EXPECT_EQ(body_of<client::C2GSendResp>(1).msg_id(), body_of<client::C2GSendResp>(2).msg_id());
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "once"}));
  // Who has been removed since still learns that it was sent.
  ctrl(3, "alice", client::CTRL_TYPE_TRANSFER_OWNER, group, {}, {}, "bob");
  settle();
  ctrl(4, "bob", client::CTRL_TYPE_REMOVE_MEMBERS, group, {"alice"});
  settle();
  send_to_group(5, "alice", group, "once", "same");
  settle();
  EXPECT_EQ(body_of<client::C2GSendResp>(5).msg_id(), body_of<client::C2GSendResp>(1).msg_id());
}

}  // namespace
}  // namespace hongyan::logic
