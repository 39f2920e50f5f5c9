// A group's order: each message has one place, and a command what was decided there.
#include "logic/group/placing.h"

#include <string>
#include <vector>

#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

class PlacingTest : public GroupsHarness {};

TEST_F(PlacingTest, OneOrderForAllMembersTheSenderIncluded) {
  const auto group = create("alice", {"bob", "carol"});
  for (std::uint32_t i = 1; i <= 5; ++i) {
    send_to_group(i, i % 2 == 0 ? "bob" : "alice", group, "m" + std::to_string(i));
    settle();
  }
  const std::vector<std::string> all = {"#", "m1", "m2", "m3", "m4", "m5"};
  for (const auto* uid : {"alice", "bob", "carol"}) EXPECT_EQ(inbox(uid), all) << uid;
  EXPECT_EQ(stored(group).rows.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(stored(group).rows[i].message.group_seq, static_cast<std::int64_t>(i + 1));
}

TEST_F(PlacingTest, AResendOfACommandIsAnsweredFromItsOutcome) {
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

TEST_F(PlacingTest, NobodyGetsWhatWasAcceptedForADissolvedGroup) {
  const auto group = create("alice", {"bob"});
  ctrl(1, "alice", client::CTRL_TYPE_DELETE_GROUP, group);
  send_to_group(2, "bob", group, "too late");  // accepted: bob has not heard yet
  settle();
  EXPECT_EQ(body_of<client::C2GSendResp>(2).has_error(), false);
  EXPECT_EQ(inbox("alice"), (std::vector<std::string>{"#", "#"}));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "#"}));
  EXPECT_EQ(counters_[0].unfinished_bytes.load() + counters_[1].unfinished_bytes.load(), 0);
}

TEST_F(PlacingTest, AMessageGivenToTheGroupTwiceIsPlacedOnce) {
  const auto group = create("alice", {"bob"});
  send_to_group(1, "alice", group, "again");
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

TEST_F(PlacingTest, AMessageGivenTwiceAtOnceIsPlacedOnce) {
  const auto group = create("alice", {"bob"});
  send_to_group(1, "alice", group, "model");
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

TEST_F(PlacingTest, WhatStandsInTheOrderBehindItsOwnersBackIsGivenOut) {
  const auto group = create("alice", {"bob"});
  GroupRow stray = stored(group).rows.back();
  stray.message.group_seq += 1;
  stray.message.id += 1;
  stray.placed_id += 1;
  stray.message.client_msg_id = "stray";
  stray.message.command = client::COMMAND_C2G_SEND;
  stray.message.content = share("stray");
  stored(group).rows.push_back(stray);
  send_to_group(1, "alice", group, "own");
  settle();
  pass(Milliseconds(2000));
  EXPECT_EQ(inbox("bob"), (std::vector<std::string>{"#", "stray", "own"}));
  EXPECT_EQ(inbox("alice"), (std::vector<std::string>{"#", "stray", "own"}));
  ASSERT_EQ(stored(group).rows.size(), 3U);
  EXPECT_EQ(stored(group).rows.back().message.group_seq, 3);
}

}  // namespace
}  // namespace hongyan::logic
