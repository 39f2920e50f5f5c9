// The whole pipeline with groups, over shards in memory.
#include <algorithm>

#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

class GroupsTest : public GroupsHarness {};

TEST_F(GroupsTest, OneOrderForAllMembersTheSenderIncluded) {
  const auto group = create("alice", {"bob", "carol"});
  for (std::uint32_t i = 1; i <= 5; ++i) {
    post(i, i % 2 == 0 ? "bob" : "alice", group, "m" + std::to_string(i));
    settle();
  }
  const std::vector<std::string> all = {"#", "m1", "m2", "m3", "m4", "m5"};
  for (const auto* uid : {"alice", "bob", "carol"}) EXPECT_EQ(inbox(uid), all) << uid;
  EXPECT_EQ(stored(group).rows.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(stored(group).rows[i].message.group_seq, static_cast<std::int64_t>(i + 1));
}

TEST_F(GroupsTest, OnlyMembersSend) {
  const auto group = create("alice", {"bob"});
  post(1, "mallory", group, "let me in");
  post(2, "alice", group + 1, "no such group");
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(error_of(2), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(stored(group).rows.size(), 1U);
  EXPECT_TRUE((shard_of("mallory").outbox[{"demo", "mallory"}].empty()));
}

TEST_F(GroupsTest, WhatStrangersNameTakesNoMemory) {
  const auto group = create("alice", {"bob"});
  for (std::uint32_t seq = 1; seq <= 50; ++seq) post(seq, "mallory", group + seq, "hello?");
  settle();
  EXPECT_EQ(error_of(50), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(held(), 1);

  for (auto& shard : shards_) shard.refuse = true;
  for (std::uint32_t seq = 51; seq <= 100; ++seq) post(seq, "mallory", group + seq, "hello?");
  settle();
  EXPECT_EQ(error_of(100), client::ERROR_CODE_UNAVAILABLE);
  for (auto& shard : shards_) shard.refuse = false;
  pass(Milliseconds(600));
  EXPECT_EQ(held(), 1);
  post(101, "alice", group, "hi");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(101).has_error());
}

// A message on its way to its group must not be what its group waits for.
TEST_F(GroupsTest, WhatWaitsForItsPlaceIsNotInItsOwnWay) {
  std::int64_t group = 0;
  do {
    group = create("alice", {"bob"});
  } while (slot_of_group("demo", group) % kThreads != slot_of("demo", "alice") % kThreads);
  config_.max_unfinished_bytes = 2000;
  post(1, "alice", group, std::string(5000, 'x'));
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(1).has_error());
  EXPECT_EQ(inbox("bob").back().size(), 5000U);
}

// Members share a content: it counts once, and for as long as one row is not there.
TEST_F(GroupsTest, ContentsOnTheirWayToMembersCount) {
  const auto [group, sender, far] = apart();
  std::vector<std::string> members = {far};
  for (int i = 0; members.size() < 3; ++i) {
    const std::string uid = "away" + std::to_string(i);
    if (&shard_of(uid) == &shard_of(far)) members.push_back(uid);
  }
  ctrl(1, sender, client::CTRL_TYPE_ADD_MEMBERS, group, members);
  settle();
  config_.max_unfinished_bytes = 20'000;
  MemoryShard& away = shard_of(far);
  away.refuse = true;
  for (std::uint32_t seq = 2; seq < 12; ++seq) {
    post(seq, sender, group, std::string(5000, 'x'));
    settle();
  }
  const std::size_t placed = stored(group).rows.size();
  // Not all: the rest waits for the shard with its sender.
  EXPECT_LE(placed, 2 + 4U);
  EXPECT_GE(placed, 2 + 3U);
  away.refuse = false;
  for (int i = 0; i < 100; ++i) pass(Milliseconds(100));
  EXPECT_EQ(inbox(far).size(), inbox(sender).size() - 1);
  EXPECT_GT(stored(group).rows.size(), placed);
}

TEST_F(GroupsTest, TheLongestIdleAreForgottenAndReadAgain) {
  config_.group.members_in_memory = 10 * (Groups::kGroupWeight + 2);
  std::vector<std::int64_t> groups;
  for (int i = 0; i < 30; ++i) {
    groups.push_back(create("alice", {"bob"}));
    pass(Milliseconds(100));
  }
  EXPECT_LE(held(), 20);
  EXPECT_GE(held(), 9);
  post(1, "bob", groups.front(), "still there");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(1).has_error());
  EXPECT_EQ(inbox("alice").back(), "still there");
}

// A shard is slow: the command is answered before the new member's own row is there.
TEST_F(GroupsTest, WhoWasAddedButHasNotHeardIsRefusedForNowOnly) {
  const auto [group, sender, far] = apart();
  MemoryShard& away = shard_of(far);
  away.refuse = true;
  ctrl(1, sender, client::CTRL_TYPE_ADD_MEMBERS, group, {far});
  settle();
  pass(Milliseconds(2100));
  away.refuse = false;
  post(2, far, group, "too early");
  settle();
  EXPECT_EQ(error_of(2), client::ERROR_CODE_UNAVAILABLE);
  pass(Milliseconds(2000));
  post(3, far, group, "now");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(3).has_error());
}

TEST_F(GroupsTest, WhoIsRemovedHearsOfItAndNothingAfter) {
  const auto group = create("alice", {"bob", "carol"});
  ctrl(1, "alice", client::CTRL_TYPE_REMOVE_MEMBERS, group, {"bob"});
  settle();
  post(2, "alice", group, "without bob");
  post(3, "bob", group, "still here?");
  settle();
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "#"}));
  EXPECT_EQ(inbox("carol"), (std::vector<std::string>{"#", "#", "without bob"}));
  EXPECT_EQ(error_of(3), client::ERROR_CODE_PERMISSION_DENIED);
}

TEST_F(GroupsTest, WhoIsAddedGetsWhatFollows) {
  const auto group = create("alice", {"bob"});
  post(1, "alice", group, "before");
  settle();
  ctrl(2, "bob", client::CTRL_TYPE_ADD_MEMBERS, group, {"dave"});
  settle();
  EXPECT_EQ(result_of(2).group().member_count(), 3);
  post(3, "dave", group, "hello");
  settle();
  EXPECT_EQ(inbox("dave"), (std::vector<std::string>{"#", "hello"}));
  EXPECT_EQ(inbox("alice"), (std::vector<std::string>{"#", "before", "#", "hello"}));
}

TEST_F(GroupsTest, AResendOfACommandIsAnsweredFromItsOutcome) {
  const auto group = create("alice", {"bob"});
  ctrl(1, "bob", client::CTRL_TYPE_EXIT_GROUP, group, {}, "exit");
  settle();
  ctrl(2, "bob", client::CTRL_TYPE_EXIT_GROUP, group, {}, "exit");
  settle();
  EXPECT_EQ(body_of<client::CtrlSendResp>(1).msg_id(), body_of<client::CtrlSendResp>(2).msg_id());
  EXPECT_FALSE(body_of<client::CtrlSendResp>(2).has_error());
  EXPECT_EQ(stored(group).rows.size(), 2U);
  ctrl(3, "alice", client::CTRL_TYPE_EXIT_GROUP, group, {}, "refused");
  ctrl(4, "alice", client::CTRL_TYPE_EXIT_GROUP, group, {}, "refused");
  settle();
  EXPECT_EQ(error_of(3), client::ERROR_CODE_FAILED_PRECONDITION);
  EXPECT_EQ(error_of(4), client::ERROR_CODE_FAILED_PRECONDITION);
  ctrl(5, "alice", client::CTRL_TYPE_EXIT_GROUP, group, {}, "refused");
  settle();
  EXPECT_EQ(error_of(5), client::ERROR_CODE_FAILED_PRECONDITION);
}

TEST_F(GroupsTest, AResendOfAMessageKeepsItsIdAndStoresNothing) {
  const auto group = create("alice", {"bob"});
  post(1, "alice", group, "once", "same");
  settle();
  post(2, "alice", group, "once", "same");
  settle();
  EXPECT_EQ(body_of<client::C2GSendResp>(1).msg_id(), body_of<client::C2GSendResp>(2).msg_id());
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "once"}));
  // Who has been removed since still learns that it was sent.
  ctrl(3, "alice", client::CTRL_TYPE_TRANSFER_OWNER, group, {}, {}, "bob");
  settle();
  ctrl(4, "bob", client::CTRL_TYPE_REMOVE_MEMBERS, group, {"alice"});
  settle();
  post(5, "alice", group, "once", "same");
  settle();
  EXPECT_EQ(body_of<client::C2GSendResp>(5).msg_id(), body_of<client::C2GSendResp>(1).msg_id());
}

TEST_F(GroupsTest, NobodyGetsWhatWasAcceptedForADissolvedGroup) {
  const auto group = create("alice", {"bob"});
  ctrl(1, "alice", client::CTRL_TYPE_DELETE_GROUP, group);
  post(2, "bob", group, "too late");  // accepted: bob has not heard yet
  settle();
  EXPECT_EQ(body_of<client::C2GSendResp>(2).has_error(), false);
  EXPECT_EQ(inbox("alice"), (std::vector<std::string>{"#", "#"}));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "#"}));
  EXPECT_EQ(counters_[0].unfinished_bytes.load() + counters_[1].unfinished_bytes.load(), 0);
}

TEST_F(GroupsTest, MentionsAndOrderReachTheDevices) {
  const auto group = create("alice", {"bob"});
  come_online("bob");
  post(1, "alice", group, "hi bob");
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

TEST_F(GroupsTest, AShardThatIsDownHoldsUpItsMembersOnly) {
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
  post(3, sender, group, "one");
  post(4, sender, group, "two");
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

TEST_F(GroupsTest, RedoCompletesWhatACrashCutShort) {
  const auto group = create("alice", {"bob", "carol"});
  const std::string far = member_elsewhere(group);
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, {far});
  settle();
  post(2, "alice", group, "lost on the way");
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

TEST_F(GroupsTest, RedoGivesAMessageToWhoWasAMemberThenAndCameBackSince) {
  const auto group = create("alice", {"bob", "carol"});
  post(1, "alice", group, "lost on the way");
  settle();
  ctrl(2, "alice", client::CTRL_TYPE_REMOVE_MEMBERS, group, {"bob"});
  settle();
  post(3, "alice", group, "without bob");
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

TEST_F(GroupsTest, RedoOfAPendingRowGoesToItsDestinationOnly) {
  const auto group = create("alice", {"bob", "carol"});
  post(1, "alice", group, "late");
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

TEST_F(GroupsTest, AMessageGivenToTheGroupTwiceIsPlacedOnce) {
  const auto group = create("alice", {"bob"});
  post(1, "alice", group, "again");
  settle();
  std::vector<RedoRow> redo;
  shard_of("alice").read_accepted(slot_of("demo", "alice"), {body_of<client::C2GSendResp>(1).msg_id()},
                                  [&redo](auto rows) { redo = std::move(*rows); });
  restart();
  acquire(redo);
  settle();
  pass(Milliseconds(2000));
  EXPECT_EQ(stored(group).rows.size(), 2U);
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "again"}));
}

TEST_F(GroupsTest, AMessageGivenTwiceAtOnceIsPlacedOnce) {
  const auto group = create("alice", {"bob"});
  post(1, "alice", group, "model");
  settle();
  std::vector<RedoRow> redo;
  shard_of("alice").read_accepted(slot_of("demo", "alice"), {body_of<client::C2GSendResp>(1).msg_id()},
                                  [&redo](auto rows) { redo = std::move(*rows); });
  ASSERT_EQ(redo.size(), 1U);
  redo[0].message.id += 1;  // accepted, and nowhere in the group
  redo[0].message.content = share("twice");
  redo.push_back(redo[0]);
  restart();
  acquire(redo);
  settle();
  pass(Milliseconds(2000));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "model", "twice"}));
}

TEST_F(GroupsTest, WhatStandsInTheOrderBehindItsOwnersBackIsGivenOut) {
  const auto group = create("alice", {"bob"});
  GroupRow stray = stored(group).rows.back();
  stray.message.group_seq += 1;
  stray.message.id += 1;
  stray.placed_id += 1;
  stray.message.client_msg_id = "stray";
  stray.message.command = client::COMMAND_C2G_SEND;
  stray.message.content = share("stray");
  stored(group).rows.push_back(stray);
  post(1, "alice", group, "own");
  settle();
  pass(Milliseconds(2000));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "stray", "own"}));
  EXPECT_EQ(inbox("alice"), (std::vector<std::string>{"#", "stray", "own"}));
  ASSERT_EQ(stored(group).rows.size(), 3U);
  EXPECT_EQ(stored(group).rows.back().message.group_seq, 3);
}

TEST_F(GroupsTest, LongLanesOfAGroupAreReadAgain) {
  config_.max_lane_bytes = 4096;
  const auto [group, sender, far] = apart();
  ctrl(1, sender, client::CTRL_TYPE_ADD_MEMBERS, group, {far});
  settle();
  MemoryShard& away = shard_of(far);
  away.refuse = true;
  for (std::uint32_t i = 0; i < 100; ++i) post(100 + i, sender, group, "m" + std::to_string(i));
  settle();
  away.refuse = false;
  for (int i = 0; i < 10; ++i) pass(Milliseconds(2000));
  ASSERT_EQ(inbox(far).size(), 101U);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(inbox(far)[i + 1], "m" + std::to_string(i));
  EXPECT_GT(shards_[0].refills + shards_[1].refills, 0);
}

// Members of two groups meet in other orders than the messages were gathered in: each device gets its inbox's
// order.
TEST_F(GroupsTest, PushesToManyAreOnePacketAndKeepEachInboxsOrder) {
  std::vector<std::string> all;
  for (int i = 0; i < 20; ++i) all.push_back("user" + std::to_string(i));
  const auto one = create("alice", all);
  const auto two = create("bob", all);
  for (const auto& uid : all) come_online(uid);
  gate_->push_packets = 0;
  gate_->pushes.clear();
  for (std::uint32_t i = 0; i < 5; ++i) {
    post(1 + i, "alice", one, "one " + std::to_string(i));
    post(101 + i, "bob", two, "two " + std::to_string(i));
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

TEST_F(GroupsTest, AResentPushCarriesItsSeq) {
  const auto group = create("alice", {"bob"});
  come_online("bob");
  post(1, "alice", group, "twice");
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
