// Groups that ask who is added, on the whole pipeline.
#include <string>
#include <vector>

#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

class InviteTest : public GroupsHarness {
 protected:
  InviteTest() {
    AppRules rules;
    rules.group_invite = "consent";
    rules_.set("demo", rules);
    restart();
    acquire();
  }
  client::PullMsg last_of(std::string_view uid) {
    const auto& row = shard_of(uid).inbox[{"demo", std::string(uid)}].back();
    client::PullMsg out;
    out.set_content(row.content);
    out.set_from(row.from);
    out.set_msg_type(row.msg_type);
    return out;
  }
  static std::vector<std::string> names(const std::string& content) {
    client::GroupOp op;
    EXPECT_TRUE(op.ParseFromString(content));
    return {op.members().begin(), op.members().end()};
  }
};

TEST_F(InviteTest, WhoIsAddedIsAskedAndJoinsByItself) {
  const auto group = create("alice", {"bob", "carol"});
  come_online("bob");
  EXPECT_EQ(stored(group).members.size(), 1U);
  EXPECT_EQ(inbox("alice"), std::vector<std::string>{"#"});
  for (const auto* uid : {"bob", "carol"}) {
    ASSERT_EQ(inbox(uid).size(), 1U) << uid;
    EXPECT_EQ(last_of(uid).msg_type(), client::CTRL_TYPE_INVITE_MEMBERS) << uid;
    EXPECT_EQ(last_of(uid).from(), "alice");
    EXPECT_EQ(names(last_of(uid).content()), std::vector<std::string>{uid});
  }
  send_to_group(1, "bob", group, "not yet");
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_PERMISSION_DENIED);
  ctrl(2, "bob", client::CTRL_TYPE_JOIN_GROUP, group);
  settle();
  EXPECT_EQ(result_of(2).group().member_count(), 2);
  send_to_group(3, "bob", group, "here I am");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(3).has_error());
  EXPECT_EQ(inbox("alice"), (std::vector<std::string>{"#", "#", "here I am"}));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "#", "here I am"}));
  EXPECT_EQ(inbox("carol"), std::vector<std::string>{"#"});
  ctrl(4, "dave", client::CTRL_TYPE_JOIN_GROUP, group);
  settle();
  EXPECT_EQ(error_of(4), client::ERROR_CODE_PERMISSION_DENIED);
}

TEST_F(InviteTest, MembersHearWhoWasInvitedAndItIsPushed) {
  const auto group = create("alice", {});
  come_online("alice");
  come_online("erin");
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"erin"});
  settle();
  EXPECT_EQ(result_of(1).group().member_count(), 1);
  for (const auto* uid : {"alice", "erin"}) {
    const auto pushes = pushes_to(uid);
    ASSERT_FALSE(pushes.empty()) << uid;
    client::CtrlPush push;
    ASSERT_TRUE(push.ParseFromString(pushes.back().body));
    EXPECT_EQ(push.type(), client::CTRL_TYPE_INVITE_MEMBERS) << uid;
    EXPECT_EQ(push.to(), std::to_string(group));
    EXPECT_EQ(names(push.content()), std::vector<std::string>{"erin"});
  }
}

TEST_F(InviteTest, AnInvitationOutlivesTheProcessAndIsGivenOnce) {
  const auto group = create("alice", {"bob"});
  shard_of("bob").inbox[{"demo", "bob"}].clear();  // as if it had not been stored
  restart();
  acquire({}, {}, placed_rows(group));
  settle();
  pass(Milliseconds(2000));
  ASSERT_EQ(inbox("bob").size(), 1U);
  EXPECT_EQ(last_of("bob").msg_type(), client::CTRL_TYPE_INVITE_MEMBERS);
  restart();
  acquire();
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"bob"});
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_ALREADY_EXISTS);
  ctrl(2, "bob", client::CTRL_TYPE_JOIN_GROUP, group);
  settle();
  EXPECT_EQ(result_of(2).members(0), "bob");
  EXPECT_TRUE(stored(group).invited.empty());
}

TEST_F(InviteTest, WhoIsInTooManyGroupsJoinsNoMore) {
  group_config_.max_groups_of_user = 2;
  const auto one = create("alice", {"bob"});
  create("bob", {});
  create("bob", {});
  ctrl(1, "bob", client::CTRL_TYPE_JOIN_GROUP, one);
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_FAILED_PRECONDITION);
}

TEST_F(InviteTest, OfALargeGroupTheInvitationComesByTheInbox) {
  group_config_.large_threshold = 1;
  const auto group = create("alice", {"bob"});
  ctrl(1, "bob", client::CTRL_TYPE_JOIN_GROUP, group);
  settle();
  EXPECT_TRUE(result_of(1).group().large());
  ctrl(2, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"carol"});
  settle();
  ASSERT_EQ(inbox("carol").size(), 1U);
  EXPECT_EQ(last_of("carol").msg_type(), client::CTRL_TYPE_INVITE_MEMBERS);
  EXPECT_EQ(inbox("bob").size(), 2U);  // the invitation and the joining
  ctrl(3, "carol", client::CTRL_TYPE_JOIN_GROUP, group);
  settle();
  send_to_group(4, "carol", group, "hello");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(4).has_error());
}

}  // namespace
}  // namespace hongyan::logic
