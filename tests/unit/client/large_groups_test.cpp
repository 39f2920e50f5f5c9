#include "client/cpp/large_groups.h"

#include <limits>

#include "tests/unit/client/core_fixture.h"

namespace hongyan::client {
namespace {

using Seqs = std::vector<std::int64_t>;
using GroupHeld = std::vector<std::pair<std::int64_t, std::int64_t>>;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

class LargeGroupTest : public CoreFixture {
 protected:
  using CoreFixture::CoreFixture;

  static GroupPage& add_page(PullResp& response, std::int64_t group_id, const Seqs& seqs) {
    GroupPage& page = *response.add_groups();
    page.set_group_id(group_id);
    for (const auto seq : seqs) {
      page.set_head_seq(seq);
      PullMsg& row = *page.add_msg();
      row.set_seq(seq);
      row.set_msg_id(2000 + seq % 1000);
      row.set_from("bob");
      row.set_cmd_id(COMMAND_C2G_SEND);
      row.set_content("g" + std::to_string(seq));
    }
    return page;
  }
  static PullResp group_page(const Seqs& seqs) {
    PullResp response;
    add_page(response, kGroup, seqs);
    return response;
  }
  // The offset of a group in a PULL; -1: it is not listed.
  static std::int64_t offset_of(const Sent& request, std::int64_t group_id = kGroup) {
    for (const auto& group : request.as<PullReq>().groups()) {
      if (group.group_id() == group_id) return group.offset();
    }
    return -1;
  }
  // Logged in, and the group is held up to there.
  void follow(std::int64_t held_seq) {
    authenticate();
    answer_pull(group_page({held_seq}));
    answer_pull(PullResp());
    messages.clear();
    group_held.clear();
    syncs = 0;
  }
};

TEST_F(LargeGroupTest, BeginsWithTheFirstRowOfAPage) {
  authenticate();
  const auto request = one(COMMAND_PULL);
  EXPECT_EQ(request.as<PullReq>().groups().size(), 0);
  answer(COMMAND_PULL, request.seq, group_page({11, 12}));
  EXPECT_EQ(group_seqs(), (Seqs{11, 12}));
  EXPECT_EQ(messages[0].seq, 0);
  EXPECT_EQ(messages[0].group_id, kGroup);
  EXPECT_EQ(group_held, (GroupHeld{{kGroup, 12}}));
  const auto next = one(COMMAND_PULL);  // which acknowledges
  EXPECT_EQ(offset_of(next), 12);
  answer(COMMAND_PULL, next.seq, PullResp());
  EXPECT_EQ(syncs, 1);
}

TEST_F(LargeGroupTest, GoesOnWhereItWasToldToResume) {
  CoreOptions resumed = options();
  resumed.held_groups = {{kGroup, 40}, {9, 2}};
  ClientCore other(resumed, [] { return 0.5; });
  EXPECT_EQ(other.held_groups(), resumed.held_groups);
  other.start(now);
  other.connected("token", 1, now);
  net::Packet packet;
  packet.header = {.cmd_id = COMMAND_AUTH, .seq = 1};
  other.on_packet(packet, now);
  for (const Output& output : other.take()) {
    if (const auto* write = std::get_if<output::Write>(&output)) take_packets(write->bytes);
  }
  const auto request = one(COMMAND_PULL);
  EXPECT_EQ(offset_of(request, kGroup), 40);
  EXPECT_EQ(offset_of(request, 9), 2);
}

TEST_F(LargeGroupTest, DeliversTheNextPushThenSaysSoThenAcknowledges) {
  follow(12);
  order.clear();
  group_push(0, 13);
  EXPECT_EQ(group_seqs(), Seqs{13});
  EXPECT_EQ(messages[0].mentions, std::vector<std::string>{"alice"});
  EXPECT_EQ(order, (std::vector<std::size_t>{Output(output::Deliver{}).index(),
                                             Output(output::GroupHeldMoved{}).index(),
                                             Output(output::Write{}).index()}));
  const auto ack = one(COMMAND_C2G_PUSH).as<PushAck>();
  EXPECT_EQ(ack.msg_id(), 2013);
  EXPECT_EQ(ack.group_id(), kGroup);
  EXPECT_EQ(ack.group_seq(), 13);
  EXPECT_EQ(ack.seq(), 0);
  EXPECT_TRUE(held.empty() || held.back().inbox == 0);
}

TEST_F(LargeGroupTest, AcknowledgesAndDiscardsWhatItHolds) {
  follow(12);
  group_push(0, 12);
  group_push(0, 3);
  EXPECT_TRUE(messages.empty());
  const auto acks = taken(COMMAND_C2G_PUSH);
  ASSERT_EQ(acks.size(), 2U);
  for (const auto& ack : acks) EXPECT_EQ(ack.as<PushAck>().group_seq(), 12);
}

TEST_F(LargeGroupTest, PullsAndDoesNotAcknowledgeWhatLeavesAHole) {
  follow(12);
  group_push(0, 15);
  group_push(0, 16);
  EXPECT_TRUE(messages.empty());
  EXPECT_TRUE(taken(COMMAND_C2G_PUSH).empty());
  const auto request = one(COMMAND_PULL);
  EXPECT_EQ(offset_of(request), 12);
  answer(COMMAND_PULL, request.seq, group_page({13, 14, 15}));  // 16 came after the page was read
  answer_pull(group_page({16}));
  EXPECT_EQ(group_seqs(), (Seqs{13, 14, 15, 16}));
  answer_pull(PullResp());
  EXPECT_EQ(syncs, 1);
}

TEST_F(LargeGroupTest, BeginsNothingWithAPushAlone) {
  log_in();
  group_push(0, 8);  // 6 and 7 may have been missed
  EXPECT_TRUE(messages.empty());
  EXPECT_TRUE(taken(COMMAND_C2G_PUSH).empty());
  const auto request = one(COMMAND_PULL);
  EXPECT_EQ(offset_of(request), -1);
  answer(COMMAND_PULL, request.seq, group_page({6, 7, 8}));
  EXPECT_EQ(group_seqs(), (Seqs{6, 7, 8}));
}

TEST_F(LargeGroupTest, BeginsNothingWithAPageThatHadNoRoom) {
  authenticate();
  PullResp no_room = page(1, 2, 2);
  add_page(no_room, kGroup, {}).set_head_seq(12);
  answer_pull(no_room);
  const auto next = one(COMMAND_PULL);
  EXPECT_EQ(offset_of(next), -1);
  answer(COMMAND_PULL, next.seq, group_page({11, 12}));
  EXPECT_EQ(core.held_groups(), (GroupSeqs{{kGroup, 12}}));
  EXPECT_EQ(messages.size(), 4U);
}

TEST_F(LargeGroupTest, BeginsAfterWhatStandsInTheInbox) {
  authenticate(/*head=*/400);
  PullResp first = page(1, 200, 400);
  add_page(first, kGroup, {11});
  answer_pull(first);
  PullResp second = page(201, 400, 400);
  add_page(second, kGroup, {11, 12});
  answer_pull(second);
  answer_pull(PullResp());
  ASSERT_EQ(messages.size(), 402U);
  EXPECT_EQ(messages[400].group_seq, 11);
  EXPECT_EQ(messages[401].group_seq, 12);
  EXPECT_EQ(syncs, 1);
}

TEST_F(LargeGroupTest, GoesOnWhateverTheInboxLacks) {
  follow(12);
  push(7);  // 1 to 6 are missing
  PullResp response = page(1, 3, 7);
  add_page(response, kGroup, {13});
  answer_pull(response);
  EXPECT_EQ(core.held_groups().at(kGroup), 13);
}

TEST_F(LargeGroupTest, FollowsEachGroupByItsOwnNumbers) {
  authenticate();
  PullResp response = group_page({100});
  add_page(response, 6, {1, 2});
  answer_pull(response);
  EXPECT_EQ(core.held_groups(), (GroupSeqs{{kGroup, 100}, {6, 2}}));
  EXPECT_EQ(core.held().inbox, 0);
}

TEST_F(LargeGroupTest, TakesJumpsInsideAPage) {
  follow(12);
  SyncNotify notify;
  notify.set_group_id(kGroup);
  notify.set_group_seq(20);
  answer(COMMAND_SYNC_NOTIFY, 0, notify);
  answer_pull(group_page({15, 20}));
  EXPECT_EQ(group_seqs(), (Seqs{15, 20}));
}

TEST_F(LargeGroupTest, DeliversChangesOfTheGroupFromAPage) {
  follow(12);
  group_push(0, 16);
  PullResp response = group_page({13, 14, 15, 16});
  const auto make_ctrl = [&response](int row, CtrlType type, const std::string& member) {
    PullMsg& ctrl = *response.mutable_groups(0)->mutable_msg(row);
    ctrl.set_cmd_id(COMMAND_CTRL_SEND);
    ctrl.set_msg_type(type);
    GroupOp op;
    if (!member.empty()) op.add_members(member);
    ctrl.set_content(op.SerializeAsString());
  };
  make_ctrl(0, CTRL_TYPE_ADD_MEMBERS, "dave");
  make_ctrl(1, CTRL_TYPE_ADD_MEMBERS, "alice");  // alice's own part comes by the inbox
  make_ctrl(2, CTRL_TYPE_DELETE_GROUP, "");      // everybody's
  answer_pull(response);
  EXPECT_EQ(group_seqs(), (Seqs{13, 16}));
  EXPECT_EQ(messages[0].kind, COMMAND_CTRL_SEND);
  EXPECT_EQ(core.held_groups().at(kGroup), 16);
}

TEST_F(LargeGroupTest, TakesAPushedChangeByTheGroupsNumbers) {
  follow(12);
  CtrlPush body;
  body.set_from("bob");
  body.set_to(std::to_string(kGroup));
  body.set_type(CTRL_TYPE_RENAME);
  body.set_group_seq(13);
  body.set_msg_id(77);
  answer(COMMAND_CTRL_PUSH, 0, body);
  answer(COMMAND_CTRL_PUSH, 0, body);
  EXPECT_EQ(group_seqs(), Seqs{13});
  const auto acks = taken(COMMAND_CTRL_PUSH);
  ASSERT_EQ(acks.size(), 2U);
  EXPECT_EQ(acks[1].as<PushAck>().group_id(), kGroup);
  EXPECT_EQ(acks[1].as<PushAck>().group_seq(), 13);
  body.set_to("nobody");
  answer(COMMAND_CTRL_PUSH, 0, body);
  EXPECT_EQ(core.state(), State::kWaiting);
}

TEST_F(LargeGroupTest, DropsTheOverlapOfPushAndPage) {
  follow(12);
  answer(COMMAND_SYNC_NOTIFY, 0, SyncNotify());
  group_push(0, 13);
  answer_pull(group_page({13, 14}));
  group_push(0, 14);
  EXPECT_EQ(group_seqs(), (Seqs{13, 14}));
}

TEST_F(LargeGroupTest, HoldsOnOverAReconnectAndForgetsWhatWasOnlyPushed) {
  follow(12);
  group_push(0, 15);
  cut();
  advance_to_wake();
  authenticate();
  const auto request = taken(COMMAND_PULL).back();
  EXPECT_EQ(offset_of(request), 12);
  answer(COMMAND_PULL, request.seq, PullResp());  // 15 is lost to the server, or was never there
  EXPECT_EQ(syncs, 1);
}

TEST_F(LargeGroupTest, AcknowledgesAPageOfWhatItHolds) {
  follow(12);
  answer(COMMAND_SYNC_NOTIFY, 0, SyncNotify());
  answer_pull(group_page({11, 12}));
  EXPECT_TRUE(messages.empty());
  EXPECT_EQ(one(COMMAND_C2G_PUSH).as<PushAck>().group_seq(), 12);
  EXPECT_TRUE(taken(COMMAND_PULL).empty());  // in no hurry
  advance_to_wake();
  answer_pull(PullResp());
  EXPECT_EQ(syncs, 1);
}

TEST_F(LargeGroupTest, GivesUpAHoleThatNoPullFills) {
  follow(12);
  group_push(0, 15);
  int pulls = 0;
  while (syncs == 0 && pulls < 20) {
    answer_pull(PullResp());
    ++pulls;
    if (syncs == 0) advance_to_wake();
  }
  EXPECT_GT(pulls, 5);
  EXPECT_LT(pulls, 20);
  EXPECT_EQ(core.held_groups().at(kGroup), 12);
  group_push(0, 13);
  EXPECT_EQ(group_seqs(), Seqs{13});
}

TEST_F(LargeGroupTest, GoesBackToTheEndThatARefusalNames) {
  follow(12);
  group_push(0, 13);
  answer(COMMAND_SYNC_NOTIFY, 0, SyncNotify());
  PullResp refusal;
  refusal.mutable_error()->set_code(ERROR_CODE_FAILED_PRECONDITION);
  refusal.add_groups()->set_group_id(kGroup);
  refusal.mutable_groups(0)->set_head_seq(10);
  refusal.add_groups()->set_group_id(99);  // not asked for
  answer_pull(refusal);
  EXPECT_EQ(group_held.back(), (std::pair<std::int64_t, std::int64_t>{kGroup, 10}));
  advance_to_wake();
  const auto again = one(COMMAND_PULL);
  EXPECT_EQ(offset_of(again), 10);
  EXPECT_EQ(offset_of(again, 99), -1);
}

TEST_F(LargeGroupTest, StaysWhereItIsWhenAPageIsOlderThanAPush) {
  follow(12);
  answer(COMMAND_SYNC_NOTIFY, 0, SyncNotify());
  group_push(0, 13);
  PullResp response;
  add_page(response, kGroup, {}).set_head_seq(12);
  answer_pull(response);
  EXPECT_EQ(core.held_groups().at(kGroup), 13);
}

TEST_F(LargeGroupTest, OutlivesNumbersThatNoServerGives) {
  authenticate();
  PullResp response;
  add_page(response, kGroup, {std::numeric_limits<std::int64_t>::min(), -1, 0});
  add_page(response, -3, {1});
  answer_pull(response);
  EXPECT_TRUE(messages.empty());
  EXPECT_TRUE(core.held_groups().empty());
  advance_to_wake();
  answer_pull(group_page({kMost}));
  group_push(0, kMost);
  group_push(0, 1);
  EXPECT_EQ(messages.size(), 1U);
  EXPECT_EQ(core.state(), State::kOnline);
}

TEST_F(LargeGroupTest, DropsTheConnectionForAPushOfNoGroupOrNoNumber) {
  log_in();
  group_push(0, 0);
  EXPECT_EQ(core.state(), State::kWaiting);
  advance_to_wake();
  log_in();
  group_push(-1, 4);
  EXPECT_EQ(core.state(), State::kWaiting);
  advance_to_wake();
  log_in();
  C2GPush body;
  body.set_seq(1);
  answer(COMMAND_C2G_PUSH, 0, body);
  EXPECT_EQ(core.state(), State::kWaiting);
  EXPECT_TRUE(messages.empty());
}

TEST(LargeGroupsTest, ListsNoMoreThanABodyHolds) {
  GroupSeqs held;
  for (std::int64_t i = 1; i <= 3'000; ++i) held[kMost - i] = kMost;
  LargeGroups groups(held);
  PullReq request;
  groups.list(request);
  EXPECT_EQ(request.groups_size(), static_cast<int>(LargeGroups::kMostListed));
  EXPECT_EQ(request.groups(0).group_id(), kMost - 1);  // the newest
  EXPECT_LT(request.ByteSizeLong(), CoreOptions().max_body_bytes);
}

TEST(LargeGroupsTest, RemembersAFewHolesOfManyGroups) {
  LargeGroups groups({});
  for (std::int64_t id = 1; id <= 100'000; ++id) {
    EXPECT_EQ(groups.on_push(id, 7), LargeGroups::Verdict::kHole);
  }
  EXPECT_TRUE(groups.has_hole());
  EXPECT_TRUE(groups.held().empty());
  // Once those are filled, no hole is left.
  for (std::int64_t id = 1; id <= 1'000; ++id) EXPECT_TRUE(groups.on_row(id, 7));
  EXPECT_FALSE(groups.has_hole());
}

}  // namespace
}  // namespace hongyan::client
