#include "tests/unit/client/core_fixture.h"

namespace hongyan::client {
namespace {

using Seqs = std::vector<std::int64_t>;

class InboxTest : public CoreFixture {};

TEST_F(InboxTest, PullsFromWhatTheServerKnowsAsAcknowledged) {
  authenticate(/*head=*/9, /*acked=*/6);
  const auto request = one(COMMAND_PULL);
  EXPECT_EQ(request.as<PullReq>().offset(), 6);
  EXPECT_EQ(request.as<PullReq>().outbox_offset(), -1);
  answer(COMMAND_PULL, request.seq, page(7, 9, 9));
  EXPECT_EQ(seqs(), (Seqs{7, 8, 9}));
  EXPECT_EQ(syncs, 0);
  const auto next = one(COMMAND_PULL);
  EXPECT_EQ(next.as<PullReq>().offset(), 9);
  answer(COMMAND_PULL, next.seq, page(1, 0, 9));
  EXPECT_EQ(syncs, 1);
  EXPECT_EQ(core.held().inbox, 9);
}

TEST_F(InboxTest, DeliversTheNextPushThenSaysSoThenAcknowledges) {
  log_in(4);
  order.clear();
  push(5);
  EXPECT_EQ(seqs(), Seqs{5});
  EXPECT_EQ(order,
            (std::vector<std::size_t>{Output(output::Deliver{}).index(), Output(output::HeldMoved{}).index(),
                                      Output(output::Write{}).index()}));
  const auto ack = one(COMMAND_C2C_PUSH);
  EXPECT_NE(ack.seq, 0U);
  EXPECT_EQ(ack.as<PushAck>().seq(), 5);
  EXPECT_EQ(ack.as<PushAck>().msg_id(), 1005);
}

TEST_F(InboxTest, AcknowledgesAndDiscardsWhatItHolds) {
  log_in(4);
  push(3);
  EXPECT_TRUE(messages.empty());
  EXPECT_EQ(one(COMMAND_C2C_PUSH).as<PushAck>().seq(), 4);
}

TEST_F(InboxTest, PullsAndDoesNotAcknowledgeWhatLeavesAHole) {
  log_in(4);
  push(7);
  EXPECT_TRUE(messages.empty());
  EXPECT_TRUE(taken(COMMAND_C2C_PUSH).empty());
  const auto request = one(COMMAND_PULL);
  EXPECT_EQ(request.as<PullReq>().offset(), 4);
  push(8);  // while the pull runs: no second one
  EXPECT_TRUE(taken(COMMAND_PULL).empty());
  answer(COMMAND_PULL, request.seq, page(5, 8, 8));
  EXPECT_EQ(seqs(), (Seqs{5, 6, 7, 8}));
  answer_pull(page(1, 0, 8));
  EXPECT_TRUE(taken(COMMAND_PULL).empty());
}

TEST_F(InboxTest, DropsTheOverlapOfPushAndPull) {
  authenticate(3, 0);
  push(1);
  push(2);
  EXPECT_EQ(seqs(), (Seqs{1, 2}));
  answer_pull(page(1, 3, 3));
  EXPECT_EQ(seqs(), (Seqs{1, 2, 3}));
  push(3);
  EXPECT_EQ(seqs(), (Seqs{1, 2, 3}));
}

TEST_F(InboxTest, TakesJumpsInsideAPull) {
  authenticate(120, 0);
  answer_pull(page(100, 120, 120));  // 1 to 99 were archived
  EXPECT_EQ(messages.size(), 21U);
  EXPECT_EQ(core.held().inbox, 120);
}

TEST_F(InboxTest, PullsAtASyncNotifyEvenWhenNothingIsMissing) {
  log_in(4);
  SyncNotify notify;
  notify.set_inbox_seq(4);
  answer(COMMAND_SYNC_NOTIFY, 0, notify);
  EXPECT_EQ(one(COMMAND_PULL).as<PullReq>().offset(), 4);
}

TEST_F(InboxTest, PullsOnceMoreWhenNotifiedDuringTheLastPage) {
  authenticate(4, 4);
  answer(COMMAND_SYNC_NOTIFY, 0, SyncNotify());
  answer_pull(page(1, 0, 4));
  EXPECT_EQ(syncs, 0);
  answer_pull(page(1, 0, 4));
  EXPECT_EQ(syncs, 1);
}

TEST_F(InboxTest, AsksAgainInNoHurryWhenAPageBringsNothingNew) {
  log_in(4);
  push(6);
  for (int round = 0; round < 3; ++round) {
    answer_pull(page(1, 0, 4));  // the server does not see 5 and 6
    EXPECT_TRUE(taken(COMMAND_PULL).empty());
    advance_to_wake();
  }
  answer_pull(page(5, 6, 6));
  EXPECT_EQ(seqs(), (Seqs{5, 6}));
}

TEST_F(InboxTest, RetriesARefusedPullAfterTheTimeAskedFor) {
  authenticate(4, 0);
  refuse(one(COMMAND_PULL), ERROR_CODE_UNAVAILABLE, 700);
  push(9);  // does not make it hurry
  advance(Milliseconds(699));
  EXPECT_TRUE(taken(COMMAND_PULL).empty());
  advance_to_wake();
  EXPECT_EQ(one(COMMAND_PULL).as<PullReq>().offset(), 0);
}

TEST_F(InboxTest, PullsAgainWhenTheAnswerIsLost) {
  authenticate(4, 0);
  one(COMMAND_PULL);
  advance(Milliseconds(4'000));
  answer(COMMAND_NOOP, 1, ErrorOnly());  // the connection lives
  advance(Milliseconds(4'100));
  answer_pull(page(1, 4, 4));
  EXPECT_EQ(messages.size(), 4U);
}

TEST_F(InboxTest, GoesBackToTheHeadWhenItHoldsMoreThanTheServer) {
  log_in(4);
  push(5);
  cut();
  advance_to_wake();
  authenticate(2, 2);
  const auto request = one(COMMAND_PULL);
  EXPECT_EQ(request.as<PullReq>().offset(), 5);
  PullResp refusal;
  refusal.mutable_error()->set_code(ERROR_CODE_FAILED_PRECONDITION);
  refusal.set_inbox_seq(2);
  answer(COMMAND_PULL, request.seq, refusal);
  EXPECT_EQ(held.back().inbox, 2);
  advance_to_wake();
  EXPECT_EQ(one(COMMAND_PULL).as<PullReq>().offset(), 2);
}

TEST_F(InboxTest, AcknowledgesWhatIsNotStoredByItsIdAlone) {
  log_in(4);
  S2CPush body;
  body.set_msg_id(77);
  body.set_content("news");
  answer(COMMAND_S2C, 0, body);
  EXPECT_EQ(messages.size(), 1U);
  const auto ack = one(COMMAND_S2C).as<PushAck>();
  EXPECT_EQ(ack.msg_id(), 77);
  EXPECT_EQ(ack.seq(), 0);
}

TEST_F(InboxTest, IgnoresUnknownPushesAndErrorsOfAcknowledgements) {
  log_in(4);
  answer(static_cast<Command>(199), 0, ErrorOnly());
  ErrorOnly error;
  error.mutable_error()->set_code(ERROR_CODE_BAD_REQUEST);
  answer(COMMAND_C2C_PUSH, 12, error);
  EXPECT_TRUE(messages.empty());
  EXPECT_EQ(core.state(), State::kOnline);
}

TEST_F(InboxTest, ReconnectsWhenAPushDoesNotParse) {
  log_in(4);
  net::Packet packet;
  packet.header.cmd_id = COMMAND_C2C_PUSH;
  packet.body = "\xff\xff\xff";
  core.on_packet(packet, now);
  settle();
  EXPECT_EQ(core.state(), State::kWaiting);
  EXPECT_EQ(closes, 1);
}

class OutboxTest : public CoreFixture {
 protected:
  OutboxTest() : CoreFixture(with_sent()) {}

  void sent_push(std::int64_t seq) {
    PullMsg row;
    row.set_seq(seq);
    row.set_to("carol");
    row.set_client_msg_id("other-" + std::to_string(seq));
    answer(COMMAND_SENT_PUSH, 0, row);
  }
};

TEST_F(OutboxTest, DeliversWhatOtherDevicesSentAndNotItsOwn) {
  log_in(0);
  sent_push(11);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(messages[0].sent);
  EXPECT_EQ(one(COMMAND_SENT_PUSH).as<PushAck>().outbox_seq(), 11);
  send("bob", "own-1");
  accept(one(COMMAND_C2C_SEND), 500, 12);
  EXPECT_EQ(core.held().outbox, 12);
  sent_push(13);
  EXPECT_EQ(messages.size(), 2U);
  EXPECT_EQ(core.held().outbox, 13);
}

TEST_F(OutboxTest, SkipsItsOwnInAPull) {
  log_in(0);
  send("bob", "own-1");
  accept(one(COMMAND_C2C_SEND), 500, 12);  // 11 is another device's
  const auto request = one(COMMAND_PULL);
  EXPECT_EQ(request.as<PullReq>().outbox_offset(), 10);
  PullResp response;
  for (const int seq : {11, 12}) response.add_sent()->set_seq(seq);
  answer(COMMAND_PULL, request.seq, response);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].seq, 11);
  EXPECT_EQ(core.held().outbox, 12);
}

}  // namespace
}  // namespace hongyan::client
