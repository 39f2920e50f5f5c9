// From a group's order to its members and their devices, after a start too.
#include "logic/group/fan_out.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

class FanOutTest : public GroupsHarness {};

TEST_F(FanOutTest, WhoIsRemovedHearsOfItAndNothingAfter) {
  const auto group = create("alice", {"bob", "carol"});
  ctrl(1, "alice", client::CTRL_TYPE_REMOVE_MEMBERS, group, {"bob"});
  settle();
  send_to_group(2, "alice", group, "without bob");
  send_to_group(3, "bob", group, "still here?");
  settle();
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "#"}));
  EXPECT_EQ(inbox("carol"), (std::vector<std::string>{"#", "#", "without bob"}));
  EXPECT_EQ(error_of(3), client::ERROR_CODE_PERMISSION_DENIED);
}

TEST_F(FanOutTest, WhoIsAddedGetsWhatFollows) {
  const auto group = create("alice", {"bob"});
  send_to_group(1, "alice", group, "before");
  settle();
  ctrl(2, "bob", client::CTRL_TYPE_ADD_MEMBERS, group, {"dave"});
  settle();
  EXPECT_EQ(result_of(2).group().member_count(), 3);
  send_to_group(3, "dave", group, "hello");
  settle();
  EXPECT_EQ(inbox("dave"), (std::vector<std::string>{"#", "hello"}));
  EXPECT_EQ(inbox("alice"), (std::vector<std::string>{"#", "before", "#", "hello"}));
}

TEST_F(FanOutTest, AShardThatIsDownHoldsUpItsMembersOnly) {
  const auto group = create("alice", {"bob"});
  const std::string far = member_elsewhere(group);
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {far});
  settle();
  MemoryShard& away = shard_of(far);
  std::vector<std::string> near;
  for (int i = 0; near.size() < 3; ++i) {
    if (&shard_of("near" + std::to_string(i)) != &away) near.push_back("near" + std::to_string(i));
  }
  ctrl(2, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, near);
  settle();
  const std::string sender = near[0];
  away.refuse = true;
  send_to_group(3, sender, group, "one");
  send_to_group(4, sender, group, "two");
  settle();
  EXPECT_EQ(inbox(near[1]).back(), "two");
  EXPECT_EQ(inbox(far).back(), "#");
  pass(Milliseconds(11'000));
  upkeep();
  away.refuse = false;
  pass(Milliseconds(2000));
  const auto all = inbox(far);
  EXPECT_EQ((std::vector<std::string>{all.end() - 2, all.end()}), (std::vector<std::string>{"one", "two"}));
  upkeep();
  EXPECT_TRUE(shards_[0].pending.empty() && shards_[1].pending.empty());
}

TEST_F(FanOutTest, RedoCompletesWhatACrashCutShort) {
  const auto group = create("alice", {"bob", "carol"});
  const std::string far = member_elsewhere(group);
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {far});
  settle();
  send_to_group(2, "alice", group, "lost on the way");
  settle();
  // As if none of the last message's rows had been stored.
  for (const std::string& uid : {std::string("bob"), std::string("carol"), far}) {
    auto& rows = shard_of(uid).inbox[{"demo", uid}];
    ASSERT_EQ(rows.back().content, "lost on the way");
    rows.pop_back();
  }
  restart();
  acquire({}, {}, placed_rows(group));
  settle();
  pass(Milliseconds(2000));
  for (const std::string& uid : {std::string("alice"), std::string("bob"), std::string("carol"), far}) {
    EXPECT_EQ(std::ranges::count(inbox(uid), "lost on the way"), 1) << uid;
  }
  EXPECT_EQ(inbox(far), (std::vector<std::string>{"#", "lost on the way"}));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "#", "lost on the way"}));
}

TEST_F(FanOutTest, RedoGivesAMessageToWhoWasAMemberThenAndCameBackSince) {
  const auto group = create("alice", {"bob", "carol"});
  send_to_group(1, "alice", group, "lost on the way");
  settle();
  ctrl(2, "alice", client::CTRL_TYPE_REMOVE_MEMBERS, group, {"bob"});
  settle();
  send_to_group(3, "alice", group, "without bob");
  settle();
  ctrl(4, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {"bob"});
  settle();
  auto& rows = shard_of("bob").inbox[{"demo", "bob"}];
  ASSERT_EQ(rows.size(), 4U);
  rows.resize(1);
  restart();
  acquire({}, {}, placed_rows(group));
  settle();
  pass(Milliseconds(2000));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "lost on the way", "#", "#"}));
}

// Small groups leave nothing to read: a user's list does not grow by them, whatever is redone.
TEST_F(FanOutTest, WhoHasLeftASmallGroupHasForgottenIt) {
  const auto group = create("alice", {"bob"});
  const auto stays = [&](const std::string& uid) { return shard_of(uid).memberships[{"demo", uid}].size(); };
  EXPECT_EQ(stays("bob"), 1U);
  ctrl(1, "bob", client::CTRL_TYPE_EXIT_GROUP, group);
  settle();
  EXPECT_EQ(stays("bob"), 0U);
  send_to_group(2, "bob", group, "still here?");
  settle();
  EXPECT_EQ(error_of(2), client::ERROR_CODE_PERMISSION_DENIED);
  // As if only the row that says that bob joined had been pending.
  auto rows = placed_rows(group);
  rows.resize(1);
  restart();
  acquire({},
          {{.slot = slot_of_group("demo", group),
            .destination = slot_of("demo", "bob"),
            .id = rows[0].row.placed_id}},
          rows, rows[0].row.placed_id);
  settle();
  pass(Milliseconds(2000));
  EXPECT_EQ(stays("bob"), 0U);
  send_to_group(3, "bob", group, "and now?");
  settle();
  EXPECT_EQ(error_of(3), client::ERROR_CODE_PERMISSION_DENIED);
  ctrl(4, "alice", client::CTRL_TYPE_DELETE_GROUP, group);
  settle();
  EXPECT_EQ(stays("alice"), 0U);
}

TEST_F(FanOutTest, RedoOfAPendingRowGoesToItsDestinationOnly) {
  const auto group = create("alice", {"bob", "carol"});
  send_to_group(1, "alice", group, "late");
  settle();
  for (const std::string uid : {"bob", "carol"}) shard_of(uid).inbox[{"demo", uid}].pop_back();
  auto rows = placed_rows(group);
  rows.erase(rows.begin());
  const MsgId id = rows[0].row.placed_id;
  restart();
  acquire({}, {{.slot = slot_of_group("demo", group), .destination = slot_of("demo", "bob"), .id = id}}, rows,
          id);
  settle();
  pass(Milliseconds(2000));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "late"}));
  EXPECT_EQ(inbox("carol"), std::vector<std::string>{"#"});
  shards_[0].pending.insert(id);
  shards_[1].pending.insert(id);
  upkeep();
  EXPECT_FALSE(shards_[shard_set_.index_of(slot_of_group("demo", group))].pending.contains(id));
}

TEST_F(FanOutTest, LongLanesOfAGroupAreReadAgain) {
  config_.max_lane_bytes = 4096;
  const auto [group, sender, far] = apart();
  ctrl(1, sender, client::CTRL_TYPE_ADD_MEMBERS, group, {far});
  settle();
  MemoryShard& away = shard_of(far);
  away.refuse = true;
  for (std::uint32_t i = 0; i < 100; ++i) send_to_group(100 + i, sender, group, "m" + std::to_string(i));
  settle();
  away.refuse = false;
  for (int i = 0; i < 10; ++i) pass(Milliseconds(2000));
  ASSERT_EQ(inbox(far).size(), 101U);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(inbox(far)[i + 1], "m" + std::to_string(i));
  EXPECT_GT(shards_[0].refills + shards_[1].refills, 0);
}

TEST_F(FanOutTest, MentionsAndOrderReachTheDevices) {
  const auto group = create("alice", {"bob"});
  come_online("bob");
  send_to_group(1, "alice", group, "hi bob");
  settle();
  const auto pushes = pushes_to("bob");
  ASSERT_EQ(pushes.size(), 1U);
  EXPECT_EQ(pushes[0].cmd_id, static_cast<std::uint32_t>(client::COMMAND_C2G_PUSH));
  client::C2GPush push;
  ASSERT_TRUE(push.ParseFromString(pushes[0].body));
  EXPECT_EQ(push.seq(), 2);
  EXPECT_EQ(push.group_seq(), 2);
  EXPECT_EQ(push.group_id(), group);
  ASSERT_EQ(push.mentions_size(), 1);
  EXPECT_EQ(push.mentions(0), "bob");
}

// Members of two groups meet in other orders than the messages were gathered in: each device gets its inbox's
// order.
TEST_F(FanOutTest, PushesToManyAreOnePacketAndKeepEachInboxsOrder) {
  std::vector<std::string> all;
  for (int i = 0; i < 20; ++i) all.push_back("user" + std::to_string(i));
  const auto one = create("alice", all);
  const auto two = create("bob", all);
  for (const auto& uid : all) come_online(uid);
  gate_->push_packets = 0;
  gate_->pushes.clear();
  for (std::uint32_t i = 0; i < 5; ++i) {
    send_to_group(1 + i, "alice", one, "one " + std::to_string(i));
    send_to_group(101 + i, "bob", two, "two " + std::to_string(i));
    send(201 + i, "carol", all[i], "c2c " + std::to_string(i));
  }
  settle();
  EXPECT_LT(gate_->push_packets, 60);
  for (const auto& uid : all) {
    std::vector<std::int64_t> seqs;
    for (const auto& push : pushes_to(uid)) {
      if (push.cmd_id == client::COMMAND_C2G_PUSH) {
        client::C2GPush body;
        ASSERT_TRUE(body.ParseFromString(push.body));
        seqs.push_back(body.seq());
      } else {
        client::C2CPush body;
        ASSERT_TRUE(body.ParseFromString(push.body));
        seqs.push_back(body.seq());
      }
    }
    ASSERT_GE(seqs.size(), 10U) << uid;
    for (std::size_t i = 0; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], static_cast<std::int64_t>(3 + i)) << uid;
  }
}

TEST_F(FanOutTest, OfManyWhoComeEachHearsOfItselfAndTheOthersOfSome) {
  group_config_.max_members_told = 3;
  const auto group = create("alice", {"bob"});
  for (const auto* uid : {"alice", "m5"}) come_online(uid);
  std::vector<std::string> many;
  for (int i = 0; i < 9; ++i) many.push_back("m" + std::to_string(i));
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, many);
  settle();
  EXPECT_EQ(result_of(1).members_size(), 9);
  const auto heard = [&](const std::string& uid) {
    client::GroupOp op;
    EXPECT_TRUE(op.ParseFromString(shard_of(uid).inbox[{"demo", uid}].back().content));
    EXPECT_EQ(op.member_count(), 9) << uid;
    return std::vector<std::string>(op.members().begin(), op.members().end());
  };
  const std::vector<std::string> some = {"m0", "m1", "m2"};
  EXPECT_EQ(heard("alice"), some);
  EXPECT_EQ(heard("bob"), some);
  for (const auto& uid : many) EXPECT_EQ(heard(uid), std::vector<std::string>{uid});
  const auto pushed = [&](std::string_view uid) {
    client::CtrlPush push;
    client::GroupOp op;
    EXPECT_TRUE(push.ParseFromString(pushes_to(uid).back().body));
    EXPECT_TRUE(op.ParseFromString(push.content()));
    return std::vector<std::string>(op.members().begin(), op.members().end());
  };
  EXPECT_EQ(pushed("alice"), some);
  EXPECT_EQ(pushed("m5"), std::vector<std::string>{"m5"});

  // After a crash they hear the same.
  for (const std::string& uid : {std::string("bob"), many[0], many[8]}) {
    shard_of(uid).inbox[{"demo", uid}].pop_back();
  }
  restart();
  acquire({}, {}, placed_rows(group));
  settle();
  pass(Milliseconds(2000));
  EXPECT_EQ(heard("bob"), some);
  EXPECT_EQ(heard(many[0]), std::vector<std::string>{many[0]});
  EXPECT_EQ(heard(many[8]), std::vector<std::string>{many[8]});
  // As does who is removed.
  ctrl(2, "alice", client::CTRL_TYPE_REMOVE_MEMBERS, group, many);
  settle();
  EXPECT_EQ(heard("bob"), some);
  EXPECT_EQ(heard(many[8]), std::vector<std::string>{many[8]});
}

// Nine hundred members, not a million names.
TEST_F(FanOutTest, WhatAGroupOfManyStoresDoesNotGrowWithTheSquare) {
  std::vector<std::string> many;
  std::size_t names = 0;
  for (int i = 0; i < 900; ++i) {
    many.push_back(std::string(56, 'u') + std::to_string(1000 + i));
    names += many.back().size();
  }
  create("alice", many);
  std::size_t stored = 0;
  for (const auto& uid : many) stored += shard_of(uid).inbox[{"demo", uid}].back().content.size();
  EXPECT_LT(stored, 3 * names);
}

TEST_F(FanOutTest, AResentPushCarriesItsSeq) {
  const auto group = create("alice", {"bob"});
  come_online("bob");
  send_to_group(1, "alice", group, "twice");
  settle();
  pass(Milliseconds(5100));
  const auto pushes = pushes_to("bob");
  ASSERT_EQ(pushes.size(), 2U);
  client::C2GPush push;
  ASSERT_TRUE(push.ParseFromString(pushes[1].body));
  EXPECT_EQ(push.seq(), 2);
  EXPECT_EQ(push.content(), "twice");
}

}  // namespace
}  // namespace hongyan::logic
