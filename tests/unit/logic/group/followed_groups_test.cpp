// Groups whose messages are stored once, on the whole pipeline.
#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

class FollowedGroupsTest : public GroupsHarness {
 protected:
  FollowedGroupsTest() {
    group_config_.large_threshold = 3;
    group_ = create("alice", {"bob", "carol"});
    send_to_group(1, "alice", group_, "small");
    settle();
    ctrl(2, "alice", client::CTRL_TYPE_ADD_MEMBERS, group_, {"dave"});
    settle();
    EXPECT_TRUE(result_of(2).group().large());
  }
  std::int64_t group_ = 0;
};

TEST_F(FollowedGroupsTest, MessagesAreStoredOnceAndFoundByPull) {
  come_online("bob");
  send_to_group(3, "alice", group_, "large");
  settle();
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "small", "#"}));
  EXPECT_EQ(inbox("dave"), std::vector<std::string>{"#"});
  ASSERT_EQ(pushes_to("bob").size(), 1U);
  client::C2GPush push;
  ASSERT_TRUE(push.ParseFromString(pushes_to("bob")[0].body));
  EXPECT_EQ(push.seq(), 0);
  EXPECT_EQ(push.group_seq(), 4);

  come_online("dave");
  const auto page = pull(10, "dave", 1);
  ASSERT_EQ(page.groups_size(), 1);
  EXPECT_EQ(page.groups(0).group_id(), group_);
  EXPECT_EQ(page.groups(0).head_seq(), 4);
  ASSERT_EQ(page.groups(0).msg_size(), 1);
  EXPECT_EQ(page.groups(0).msg(0).content(), "large");
  EXPECT_EQ(page.groups(0).msg(0).seq(), 4);
  // The next pull acknowledges, and has nothing more.
  EXPECT_EQ(pull(11, "dave", 1, {{group_, 4}}).groups_size(), 0);
  pass(Milliseconds(6000));
  const auto cursors = shard_of("dave").group_cursors[{"demo", "dave"}];
  ASSERT_EQ(cursors.size(), 1U);
  EXPECT_EQ(cursors.begin()->second, 4);
}

// What was said before stands in the inbox, and devices take it first.
TEST_F(FollowedGroupsTest, UnaskedPagesComeAfterTheInbox) {
  send_to_group(3, "alice", group_, "large");
  settle();
  come_online("bob");
  EXPECT_EQ(pull(10, "bob", 0, {}, 2).groups_size(), 0);
  EXPECT_EQ(pull(11, "bob", 0, {{group_, 3}}, 2).groups_size(), 1);
  EXPECT_EQ(pull(12, "bob", 2, {}, 2).groups_size(), 1);
}

TEST_F(FollowedGroupsTest, WhoCouldNotReadIsToldToPullAgain) {
  send_to_group(3, "alice", group_, "large");
  settle();
  come_online("bob");
  MemoryShard& shard = shards_[shard_set_.index_of(slot_of_group("demo", group_))];
  gate_->pushes.clear();
  shard.refuse_groups = true;
  EXPECT_EQ(pull(10, "bob", 3).groups_size(), 0);
  pass(Milliseconds(6000));
  ASSERT_FALSE(pushes_to("bob").empty());
  EXPECT_EQ(pushes_to("bob").back().cmd_id, client::COMMAND_SYNC_NOTIFY);
  shard.refuse_groups = false;
  EXPECT_EQ(pull(11, "bob", 3).groups_size(), 1);
}

TEST_F(FollowedGroupsTest, WhoWantsTheSameAtTheSameTimeSharesARead) {
  send_to_group(3, "alice", group_, "large");
  settle();
  std::vector<std::string> uids = {"alice", "bob", "carol"};
  for (const auto& uid : uids) come_online(uid);
  MemoryShard& shard = shards_[shard_set_.index_of(slot_of_group("demo", group_))];
  shard.group_reads = 0;
  client::PullReq body;
  body.set_offset(3);
  body.set_outbox_offset(-1);
  for (std::uint32_t i = 0; i < 3; ++i) {
    request(gate_, 10 + i, uids[i], client::COMMAND_PULL, body.SerializeAsString(), channel_of(uids[i]));
  }
  settle();
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto page = body_of<client::PullResp>(10 + i);
    ASSERT_EQ(page.groups_size(), 1);
    EXPECT_EQ(page.groups(0).msg(0).content(), "large");
  }
  EXPECT_LE(shard.group_reads, 2);  // one a slot thread
}

TEST_F(FollowedGroupsTest, HeadsAreAskedForAfterARestart) {
  send_to_group(3, "alice", group_, "large");
  settle();
  restart();
  acquire();
  come_online("carol");
  const auto page = pull(10, "carol", 3);
  ASSERT_EQ(page.groups_size(), 1);
  ASSERT_EQ(page.groups(0).msg_size(), 1);
  EXPECT_EQ(page.groups(0).msg(0).content(), "large");
}

TEST_F(FollowedGroupsTest, AcksMoveTheCursorAndNothingBeyondTheHeadDoes) {
  come_online("bob");
  send_to_group(3, "alice", group_, "large");
  settle();
  client::PushAck ack;
  ack.set_group_id(group_);
  ack.set_group_seq(99);
  request(gate_, 0, "bob", client::COMMAND_C2G_PUSH, ack.SerializeAsString(), channel_of("bob"));
  EXPECT_EQ(count(&PipelineCounters::bad_acks), 1U);
  ack.set_group_seq(4);
  request(gate_, 0, "bob", client::COMMAND_C2G_PUSH, ack.SerializeAsString(), channel_of("bob"));
  settle();
  EXPECT_EQ(pull(10, "bob", 3).groups_size(), 0);
  pass(Milliseconds(6000));
  for (const auto& push : pushes_to("bob")) {
    EXPECT_NE(push.cmd_id, static_cast<std::uint32_t>(client::COMMAND_SYNC_NOTIFY));
  }
}

TEST_F(FollowedGroupsTest, WhoDoesNotAcknowledgeIsToldToPull) {
  come_online("bob");
  send_to_group(3, "alice", group_, "large");
  settle();
  pass(Milliseconds(6000));
  const auto pushes = pushes_to("bob");
  ASSERT_EQ(pushes.back().cmd_id, static_cast<std::uint32_t>(client::COMMAND_SYNC_NOTIFY));
  client::SyncNotify notify;
  ASSERT_TRUE(notify.ParseFromString(pushes.back().body));
  EXPECT_EQ(notify.group_id(), group_);
  EXPECT_EQ(notify.group_seq(), 4);
}

// The owner died after the commit, before anybody was told; the devices stayed at their gates.
TEST_F(FollowedGroupsTest, DevicesThatAreAnnouncedHearOfWhatTheyMissed) {
  send_to_group(3, "alice", group_, "large");
  settle();
  restart();
  acquire();
  gate_->pushes.clear();
  tell(gate_, session_of("bob", channel_of("bob"), 1), true);
  bool told = false;
  for (const auto& push : pushes_to("bob")) {
    client::SyncNotify notify;
    if (push.cmd_id != client::COMMAND_SYNC_NOTIFY || !notify.ParseFromString(push.body)) continue;
    told = told || (notify.group_id() == group_ && notify.group_seq() == 4);
  }
  EXPECT_TRUE(told);
  // Who holds it hears nothing.
  EXPECT_EQ(pull(10, "bob", 3, {{group_, 4}}).groups_size(), 0);
  gate_->pushes.clear();
  tell(gate_, session_of("bob", channel_of("bob") + 2, 2), true);
  for (const auto& push : gate_->pushes) {
    client::SyncNotify notify;
    if (push.cmd_id == client::COMMAND_SYNC_NOTIFY && notify.ParseFromString(push.body)) {
      EXPECT_EQ(notify.group_id(), 0);
    }
  }
}

// What changes somebody's own part comes by the inbox; the others find it in the group.
TEST_F(FollowedGroupsTest, JoiningAndLeaving) {
  come_online("bob");
  ctrl(3, "alice", client::CTRL_TYPE_ADD_MEMBERS, group_, {"erin"});
  settle();
  send_to_group(4, "erin", group_, "I am new");
  settle();
  ctrl(5, "carol", client::CTRL_TYPE_EXIT_GROUP, group_);
  settle();
  send_to_group(6, "alice", group_, "carol is gone");
  settle();
  EXPECT_EQ(inbox("erin"), std::vector<std::string>{"#"});
  EXPECT_EQ(inbox("carol"), (std::vector<std::string>{"#", "small", "#", "#"}));
  come_online("carol");
  const auto left = pull(10, "carol", 4);
  ASSERT_EQ(left.groups_size(), 1);
  ASSERT_EQ(left.groups(0).msg_size(),
            2);  // erin's coming and "I am new"; not her own leaving, nor what follows
  EXPECT_EQ(left.groups(0).msg(1).content(), "I am new");
  come_online("erin");
  const auto joined = pull(11, "erin", 1);
  ASSERT_EQ(joined.groups_size(), 1);
  EXPECT_EQ(joined.groups(0).msg(0).content(), "I am new");
  EXPECT_EQ(joined.groups(0).msg_size(), 3);
  EXPECT_EQ(pushes_to("bob").size(), 4U);
}

// Each stay is read to its end; what was said between them is not.
TEST_F(FollowedGroupsTest, WhoComesBackReadsWhatWasUnreadBefore) {
  send_to_group(3, "alice", group_, "before");  // 4
  settle();
  ctrl(4, "alice", client::CTRL_TYPE_REMOVE_MEMBERS, group_, {"dave"});
  settle();
  send_to_group(5, "alice", group_, "without dave");
  settle();
  ctrl(6, "alice", client::CTRL_TYPE_ADD_MEMBERS, group_, {"dave"});  // 7
  settle();
  const auto reads = [&](std::uint32_t seq) {
    const auto first = pull(seq, "dave", 3);
    ASSERT_EQ(first.groups_size(), 1);
    EXPECT_EQ(first.groups(0).head_seq(), 8);
    ASSERT_EQ(first.groups(0).msg_size(), 1);
    EXPECT_EQ(first.groups(0).msg(0).content(), "before");
    const auto second = pull(seq + 1, "dave", 3, {{group_, 4}});
    ASSERT_EQ(second.groups_size(), 1);
    ASSERT_EQ(second.groups(0).msg_size(), 1);
    EXPECT_EQ(second.groups(0).msg(0).content(), "after");
    EXPECT_EQ(second.groups(0).msg(0).seq(), 8);
  };
  send_to_group(7, "alice", group_, "after");
  settle();
  come_online("dave");
  reads(10);
  EXPECT_EQ(pull(12, "dave", 3, {{group_, 6}}).groups(0).msg_size(), 1);
  pass(Milliseconds(6000));
  restart();
  acquire();
  come_online("dave");
  EXPECT_EQ(pull(13, "dave", 3, {{group_, 0}}).groups(0).msg(0).content(), "before");
  EXPECT_EQ(pull(14, "dave", 3, {{group_, 8}}).groups_size(), 0);
  pass(Milliseconds(6000));
  restart();
  acquire();
  come_online("dave");
  EXPECT_EQ(pull(15, "dave", 3).groups_size(), 0);
}

// A device that held everything before it went is not told of what it may not read.
TEST_F(FollowedGroupsTest, WhoComesBackToNothingNewIsNotToldToPull) {
  send_to_group(3, "alice", group_, "before");
  settle();
  come_online("dave");
  EXPECT_EQ(pull(10, "dave", 1, {{group_, 4}}).groups_size(), 0);
  ctrl(4, "dave", client::CTRL_TYPE_EXIT_GROUP, group_);
  settle();
  send_to_group(5, "alice", group_, "without dave");
  settle();
  ctrl(6, "alice", client::CTRL_TYPE_ADD_MEMBERS, group_, {"dave"});
  settle();
  pass(Milliseconds(6000));
  restart();
  acquire();
  gate_->pushes.clear();
  tell(gate_, session_of("dave", channel_of("dave"), 1), true);
  for (const auto& push : pushes_to("dave")) {
    client::SyncNotify notify;
    if (push.cmd_id != client::COMMAND_SYNC_NOTIFY) continue;
    ASSERT_TRUE(notify.ParseFromString(push.body));
    EXPECT_EQ(notify.group_id(), 0);
  }
}

// More groups than are looked at in one turn: all have their page.
TEST_F(FollowedGroupsTest, AUserOfManyLargeGroupsFindsThemAll) {
  auto& user = thread_of("bob").context().users.get("demo", "bob", slot_of("demo", "bob"));
  come_online("bob");
  for (std::int64_t id = 1; id <= 1500; ++id) {
    user.groups.learn({.group_id = id, .changed_seq = 1, .joined_seq = 1, .large_from_seq = 2});
  }
  send_to_group(3, "alice", group_, "large");
  settle();
  const auto page = pull(10, "bob", 3);
  ASSERT_EQ(page.groups_size(), 1);
  EXPECT_EQ(page.groups(0).group_id(), group_);
  EXPECT_EQ(page.groups(0).msg(0).content(), "large");
}

TEST_F(FollowedGroupsTest, DissolvingTellsEveryInbox) {
  ctrl(3, "alice", client::CTRL_TYPE_DELETE_GROUP, group_);
  settle();
  for (const auto* uid : {"alice", "bob", "carol", "dave"}) EXPECT_EQ(inbox(uid).back(), "#") << uid;
  EXPECT_EQ(inbox("dave").size(), 2U);
  send_to_group(4, "dave", group_, "anyone?");
  settle();
  EXPECT_EQ(error_of(4), client::ERROR_CODE_PERMISSION_DENIED);
}

TEST_F(FollowedGroupsTest, ReadsOfTheGroup) {
  ctrl(3, "bob", client::CTRL_TYPE_GET_GROUP, group_);
  ctrl(4, "bob", client::CTRL_TYPE_LIST_MEMBERS, group_);
  ctrl(5, "bob", client::CTRL_TYPE_LIST_MY_GROUPS, 0);
  ctrl(6, "mallory", client::CTRL_TYPE_GET_GROUP, group_);
  settle();
  EXPECT_EQ(result_of(3).group().name(), "friends");
  EXPECT_EQ(result_of(4).members_size(), 4);
  ASSERT_EQ(result_of(5).groups_size(), 1);
  EXPECT_EQ(result_of(5).groups(0).group_id(), group_);
  EXPECT_EQ(result_of(5).groups(0).member_count(), 4);
  EXPECT_EQ(error_of(6), client::ERROR_CODE_PERMISSION_DENIED);
}

}  // namespace
}  // namespace hongyan::logic
