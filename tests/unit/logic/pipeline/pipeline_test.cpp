#include "pipeline_harness.h"

namespace hongyan::logic {
namespace {

class PipelineTest : public PipelineHarness {
 protected:
  PipelineTest() { acquire(); }

  std::vector<std::string> inbox_of(std::string_view uid) {
    std::vector<std::string> out;
    for (const auto& row : shard_of(uid).inbox[{"demo", std::string(uid)}]) out.push_back(row.content);
    return out;
  }
};

TEST_F(PipelineTest, AcknowledgesOnlyAfterTheCommitAndThenDelivers) {
  send(1, "alice", "bob", "id-1", "hello");
  EXPECT_EQ(gate_->answer(1), nullptr);
  settle();
  const auto answer = body_of<client::C2CSendResp>(1);
  EXPECT_FALSE(answer.has_error());
  EXPECT_GT(answer.msg_id(), 0);
  EXPECT_EQ(answer.outbox_seq(), 1);
  EXPECT_EQ(inbox_of("bob"), std::vector<std::string>{"hello"});
  EXPECT_EQ(shard_of("bob").inbox[std::make_pair("demo", "bob")].front().id, answer.msg_id());
}

TEST_F(PipelineTest, ResendStoresNothingAndAnswersTheSameId) {
  send(1, "alice", "bob", "id-1");
  send(2, "alice", "bob", "id-1");  // while the first is on its way
  settle();
  send(3, "alice", "bob", "id-1");  // once it is stored
  settle();
  const auto first = body_of<client::C2CSendResp>(1).msg_id();
  EXPECT_GT(first, 0);
  EXPECT_EQ(body_of<client::C2CSendResp>(2).msg_id(), first);
  EXPECT_EQ(body_of<client::C2CSendResp>(3).msg_id(), first);
  EXPECT_EQ(inbox_of("bob").size(), 1U);
}

TEST_F(PipelineTest, RefusesAnIdUsedForAnotherTarget) {
  send(1, "alice", "bob", "id-1");
  send(2, "alice", "carol", "id-1");
  settle();
  send(3, "alice", "carol", "id-1");
  settle();
  EXPECT_EQ(body_of<client::ErrorOnly>(2).error().code(), client::ERROR_CODE_ALREADY_EXISTS);
  EXPECT_EQ(body_of<client::ErrorOnly>(3).error().code(), client::ERROR_CODE_ALREADY_EXISTS);
  EXPECT_TRUE(inbox_of("carol").empty());
}

TEST_F(PipelineTest, RefusesBadInput) {
  struct Case {
    const char* what;
    client::C2CSendReq body;
    client::ErrorCode code;
  };
  const auto make = [](std::string from, std::string to, std::string id) {
    client::C2CSendReq body;
    body.set_from(std::move(from));
    body.set_to(std::move(to));
    body.set_client_msg_id(std::move(id));
    return body;
  };
  const std::vector<Case> cases = {
      {"foreign from", make("mallory", "bob", "i"), client::ERROR_CODE_PERMISSION_DENIED},
      {"empty to", make("", "", "i"), client::ERROR_CODE_BAD_REQUEST},
      {"no client_msg_id", make("alice", "bob", ""), client::ERROR_CODE_BAD_REQUEST},
      {"id of 65 bytes", make("", "bob", std::string(65, 'x')), client::ERROR_CODE_BAD_REQUEST},
      {"to of 129 bytes", make("", std::string(129, 'x'), "i"), client::ERROR_CODE_BAD_REQUEST},
      {"NUL in to", make("", std::string("b\0b", 3), "i"), client::ERROR_CODE_BAD_REQUEST},
  };
  std::uint32_t seq = 10;
  for (const auto& one : cases) {
    request(gate_, ++seq, "alice", client::COMMAND_C2C_SEND, one.body.SerializeAsString());
    settle();
    EXPECT_EQ(body_of<client::ErrorOnly>(seq).error().code(), one.code) << one.what;
  }
  request(gate_, 99, "alice", client::COMMAND_C2C_SEND, "\xff\xff\xff");
  EXPECT_EQ(body_of<client::ErrorOnly>(99).error().code(), client::ERROR_CODE_BAD_REQUEST);
  request(gate_, 98, "alice", 12345, "");
  EXPECT_EQ(body_of<client::ErrorOnly>(98).error().code(), client::ERROR_CODE_UNKNOWN_COMMAND);
  EXPECT_TRUE(shard_of("alice").outbox.empty());
}

TEST_F(PipelineTest, KeepsTheSendersOrderOverFailures) {
  shard_of("bob").refuse = &shard_of("bob") != &shard_of("alice");
  for (std::uint32_t i = 1; i <= 20; ++i)
    send(i, "alice", "bob", "id-" + std::to_string(i), std::to_string(i));
  settle();
  shard_of("bob").refuse = false;
  pass(Milliseconds(100));
  const auto inbox = inbox_of("bob");
  ASSERT_EQ(inbox.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(inbox[i], std::to_string(i + 1));
}

// A user of the other shard than `uid`'s.
std::string elsewhere(std::string_view uid) {
  for (int i = 0;; ++i) {
    std::string other = "user" + std::to_string(i);
    if ((slot_of("demo", other) < kSlotCount / 2) != (slot_of("demo", uid) < kSlotCount / 2)) return other;
  }
}

TEST_F(PipelineTest, RefusesWhileTheSendersShardIsAway) {
  for (auto& thread : threads_)
    thread->shard_status(shard_set_.index_of(slot_of("demo", "alice")), SlotStatus::kSuspended);
  send(1, "alice", "bob", "id-1");
  EXPECT_EQ(body_of<client::ErrorOnly>(1).error().code(), client::ERROR_CODE_UNAVAILABLE);
  EXPECT_GT(body_of<client::ErrorOnly>(1).error().retry_after_ms(), 0U);
  const std::string other = elsewhere("alice");
  send(2, other, other, "id-1");
  settle();
  EXPECT_FALSE(body_of<client::ErrorOnly>(2).has_error());
}

TEST_F(PipelineTest, DeliversOnceTheReceiversShardIsBack) {
  const std::string to = elsewhere("alice");
  shard_of(to).refuse = true;
  send(1, "alice", to, "id-1", "wait");
  settle();
  EXPECT_FALSE(body_of<client::ErrorOnly>(1).has_error());
  EXPECT_TRUE(inbox_of(to).empty());
  pass(Milliseconds(2000));
  EXPECT_TRUE(inbox_of(to).empty());
  shard_of(to).refuse = false;
  pass(Milliseconds(2000));
  EXPECT_EQ(inbox_of(to), std::vector<std::string>{"wait"});
}

TEST_F(PipelineTest, MarkFollowsWhatIsFinished) {
  const std::string to = elsewhere("alice");
  send(1, "alice", "alice", "id-1");
  settle();
  upkeep();
  const Slot slot = slot_of("demo", "alice");
  const MsgId first = body_of<client::C2CSendResp>(1).msg_id();
  EXPECT_EQ(shard_of("alice").marks[slot], first);

  shard_of(to).refuse = true;
  send(2, "alice", to, "id-2");
  send(3, "alice", "alice", "id-3");
  settle();
  upkeep();
  const MsgId stuck = body_of<client::C2CSendResp>(2).msg_id();
  EXPECT_LT(shard_of("alice").marks[slot], stuck);
}

TEST_F(PipelineTest, OldUnfinishedFanOutMovesToPendingAndLetsTheMarkPass) {
  const std::string to = elsewhere("alice");
  shard_of(to).refuse = true;
  send(1, "alice", to, "id-1", "late");
  send(2, "alice", "alice", "id-2");
  settle();
  pass(Milliseconds(11'000));
  const MsgId stuck = body_of<client::C2CSendResp>(1).msg_id();

  shard_of("alice").upkeep_works = false;
  upkeep();
  EXPECT_TRUE(shard_of("alice").pending.empty());
  shard_of("alice").upkeep_works = true;
  upkeep();
  EXPECT_TRUE(shard_of("alice").pending.contains(stuck));
  EXPECT_GE(shard_of("alice").marks[slot_of("demo", "alice")], stuck);

  shard_of(to).refuse = false;
  pass(Milliseconds(2000));
  EXPECT_EQ(inbox_of(to), std::vector<std::string>{"late"});
  upkeep();
  EXPECT_TRUE(shard_of("alice").pending.empty());
}

TEST_F(PipelineTest, RedoFinishesWhatACrashLeft) {
  const std::string to = elsewhere("alice");
  shard_of(to).refuse = true;
  send(1, "alice", to, "id-1", "one");
  send(2, "alice", to, "id-2", "two");
  settle();
  shard_of(to).refuse = false;
  std::vector<MsgId> ids = {body_of<client::C2CSendResp>(1).msg_id(),
                            body_of<client::C2CSendResp>(2).msg_id()};
  std::vector<RedoRow> redo;
  shard_of("alice").read_accepted(slot_of("demo", "alice"), ids,
                                  [&redo](auto rows) { redo = std::move(*rows); });
  restart();
  acquire(redo, {{.slot = slot_of("demo", "alice"), .destination = slot_of("demo", to), .id = ids[0]}});
  send(3, "alice", to, "id-3", "three");
  settle();
  pass(Milliseconds(2000));  // the receiver's slots may have been acquired after the sender's
  EXPECT_EQ(inbox_of(to), (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(PipelineTest, RedoOfWhatIsStoredStoresNothing) {
  send(1, "alice", "bob", "id-1", "one");
  settle();
  std::vector<RedoRow> redo;
  shard_of("alice").read_accepted(slot_of("demo", "alice"), {body_of<client::C2CSendResp>(1).msg_id()},
                                  [&redo](auto rows) { redo = std::move(*rows); });
  restart();
  acquire(redo);
  settle();
  EXPECT_EQ(inbox_of("bob").size(), 1U);
}

TEST_F(PipelineTest, LongLaneKeepsIdsOnlyAndReadsContentsAgain) {
  config_.max_lane_bytes = 4096;
  const std::string to = elsewhere("alice");
  shard_of(to).refuse = true;
  for (std::uint32_t i = 1; i <= 200; ++i) {
    send(i, "alice", to, "id-" + std::to_string(i), std::string(100, 'c') + std::to_string(i));
  }
  settle();
  EXPECT_LT(counters_[slot_of("demo", "alice") % kThreads].unfinished_bytes.load(), 200 * 260);
  shard_of(to).refuse = false;
  pass(Milliseconds(2000));
  const auto inbox = inbox_of(to);
  ASSERT_EQ(inbox.size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(inbox[i], std::string(100, 'c') + std::to_string(i + 1));
  EXPECT_GT(shard_of("alice").refills, 0);
  EXPECT_EQ(counters_[slot_of("demo", "alice") % kThreads].unfinished_bytes.load(), 0);
}

TEST_F(PipelineTest, RefusesBeyondTheLimitOfUnfinishedBytes) {
  config_.max_unfinished_bytes = 2000;
  const std::string to = elsewhere("alice");
  shard_of(to).refuse = true;
  std::uint32_t seq = 0;
  for (int i = 0; i < 30; ++i) {
    send(++seq, "alice", to, "id-" + std::to_string(i), std::string(200, 'x'));
    settle();
  }
  EXPECT_EQ(body_of<client::ErrorOnly>(seq).error().code(), client::ERROR_CODE_UNAVAILABLE);
  shard_of(to).refuse = false;
  pass(Milliseconds(2000));
  send(++seq, "alice", to, "last");
  settle();
  EXPECT_FALSE(body_of<client::ErrorOnly>(seq).has_error());
}

TEST_F(PipelineTest, OneUserHasSoManySendsUnderWayAndOthersGoOn) {
  config_.max_sends_of_user = 3;
  for (std::uint32_t seq = 1; seq <= 4; ++seq) send(seq, "alice", "bob", "id-" + std::to_string(seq));
  const auto refused = body_of<client::ErrorOnly>(4).error();
  EXPECT_EQ(refused.code(), client::ERROR_CODE_UNAVAILABLE);
  EXPECT_GT(refused.retry_after_ms(), 0U);
  EXPECT_EQ(gate_->answer(1), nullptr);
  send(5, "alice", "bob", "id-1");  // a resend takes no further place
  send(6, "carol", "bob", "id-1");
  settle();
  for (const std::uint32_t seq : {1U, 2U, 3U, 5U, 6U})
    EXPECT_FALSE(body_of<client::ErrorOnly>(seq).has_error());
  send(7, "alice", "bob", "id-4");
  settle();
  EXPECT_FALSE(body_of<client::ErrorOnly>(7).has_error());
  EXPECT_EQ(inbox_of("bob").size(), 5U);
}

TEST_F(PipelineTest, ResendsOfOneSendUnderWayAreBounded) {
  std::uint32_t seq = 0;
  while (seq < 100) send(++seq, "alice", "bob", "id-1");
  EXPECT_EQ(body_of<client::ErrorOnly>(seq).error().code(), client::ERROR_CODE_UNAVAILABLE);
  settle();
  EXPECT_FALSE(body_of<client::ErrorOnly>(1).has_error());
  EXPECT_EQ(inbox_of("bob").size(), 1U);
}

TEST_F(PipelineTest, NotOwnerIsToldForSlotsNotAcquired) {
  restart();
  send(1, "alice", "bob", "id-1");
  EXPECT_EQ(gate_->not_owner, std::vector<std::uint32_t>{1});
}

// --- sessions and pushes ---

TEST_F(PipelineTest, LoginAnswersTailsAndPushesFollow) {
  send(1, "alice", "bob", "id-1");
  settle();
  login(2, "bob", 500);
  settle();
  const auto auth = body_of<client::AuthResp>(2);
  EXPECT_EQ(auth.inbox_seq(), 1);
  EXPECT_GT(gate_->answer(2)->login_epoch, 0U);
  EXPECT_EQ(routes_.puts, std::vector<std::string>{"bob"});

  send(3, "alice", "bob", "id-2", "live");
  settle();
  ASSERT_EQ(gate_->pushes.size(), 1U);
  client::C2CPush push;
  ASSERT_TRUE(push.ParseFromString(gate_->pushes[0].body));
  EXPECT_EQ(push.content(), "live");
  EXPECT_EQ(push.seq(), 2);
  EXPECT_EQ(push.from(), "alice");
  EXPECT_EQ(gate_->pushes[0].channel, 500U);
}

TEST_F(PipelineTest, BadTokenIsRefused) {
  login(1, "bob", 500, 1, "d", "bad");
  settle();
  EXPECT_EQ(body_of<client::ErrorOnly>(1).error().code(), client::ERROR_CODE_UNAUTHENTICATED);
  EXPECT_EQ(gate_->answer(1)->login_epoch, 0U);
}

TEST_F(PipelineTest, SecondLoginOfTheClassKicksTheFirst) {
  login(1, "bob", 500, 1, "phone-1");
  settle();
  login(2, "bob", 501, 2, "phone-2");
  login(3, "bob", 502, 3, "page");
  settle();
  confirm(2, "bob", 501, 2);
  ASSERT_EQ(gate_->kicks.size(), 1U);
  EXPECT_EQ(gate_->kicks[0].first, 500U);
  client::Kickout kickout;
  ASSERT_TRUE(kickout.ParseFromString(gate_->kicks[0].second));
  EXPECT_EQ(kickout.reason(), client::KICK_REASON_OTHER_LOGIN);
  EXPECT_FALSE(gate_->kicks[0].second.empty());
  send(4, "alice", "bob", "id-1");
  settle();
  EXPECT_EQ(gate_->pushes.size(), 2U);
}

TEST_F(PipelineTest, SameDeviceReplacesItselfSilently) {
  login(1, "bob", 500, 1, "phone-1");
  login(2, "bob", 501, 1, "phone-1");
  settle();
  confirm(2, "bob", 501);
  ASSERT_EQ(gate_->kicks.size(), 1U);
  EXPECT_TRUE(gate_->kicks[0].second.empty());
}

TEST_F(PipelineTest, OtherDevicesOfTheSenderGetWhatItSent) {
  login(1, "alice", 1, 1);
  login(2, "alice", 2, 3);
  settle();
  send(3, "alice", "bob", "id-1", "from phone");
  settle();
  ASSERT_EQ(gate_->pushes.size(), 1U);
  EXPECT_EQ(gate_->pushes[0].cmd_id, static_cast<std::uint32_t>(client::COMMAND_SENT_PUSH));
  EXPECT_EQ(gate_->pushes[0].channel, 2U);
}

TEST_F(PipelineTest, SessionsAnnouncedAfterARestartGetWhatTheyMissed) {
  login(1, "bob", 500);
  settle();
  const std::uint64_t epoch = gate_->answer(1)->login_epoch;
  send(2, "alice", "bob", "id-1");
  settle();
  restart();
  acquire();
  link::Sessions told;
  told.set_announce(true);
  auto& session = *told.add_sessions();
  session.set_app_id("demo");
  session.set_uid("bob");
  session.set_channel(500);
  session.set_device_type(1);
  session.set_login_epoch(epoch);
  gate_->pushes.clear();
  for (auto& thread : threads_) {
    thread->sessions(gate_, told);
    thread->end_turn();
  }
  settle();
  ASSERT_EQ(gate_->pushes.size(), 1U);
  EXPECT_EQ(gate_->pushes[0].cmd_id, static_cast<std::uint32_t>(client::COMMAND_SYNC_NOTIFY));
  send(3, "alice", "bob", "id-2");
  settle();
  EXPECT_EQ(gate_->pushes.back().cmd_id, static_cast<std::uint32_t>(client::COMMAND_C2C_PUSH));
}

TEST_F(PipelineTest, AnAnnouncedAckBeyondTheHeadIsCutToIt) {
  send(1, "alice", "bob", "id-1");
  settle();
  link::Sessions told;
  told.set_announce(true);
  auto& session = *told.add_sessions();
  session.set_app_id("demo");
  session.set_uid("bob");
  session.set_channel(500);
  session.set_device_type(1);
  session.set_login_epoch(9);
  session.set_acked_inbox_seq(1'000'000);
  for (auto& thread : threads_) thread->sessions(gate_, told);
  settle();
  send(2, "alice", "bob", "id-2");
  settle();
  EXPECT_EQ(gate_->pushes.back().cmd_id, static_cast<std::uint32_t>(client::COMMAND_C2C_PUSH));
}

TEST_F(PipelineTest, AnAnnouncedSessionWithALowerEpochIsKicked) {
  login(1, "bob", 500);
  settle();
  link::Sessions told;
  told.set_announce(true);
  auto& session = *told.add_sessions();
  session.set_app_id("demo");
  session.set_uid("bob");
  session.set_channel(900);
  session.set_device_type(1);
  session.set_login_epoch(1);
  const auto other = std::make_shared<FakeGate>("gate-2", 88);
  for (auto& thread : threads_) thread->sessions(other, told);
  settle();
  ASSERT_EQ(other->kicks.size(), 1U);
  EXPECT_EQ(other->kicks[0].first, 900U);
  EXPECT_TRUE(gate_->kicks.empty());
}

TEST_F(PipelineTest, SessionsOfALostGateAreDroppedAfterTheGrace) {
  login(1, "bob", 500);
  settle();
  gate_->open = false;
  for (auto& thread : threads_) thread->gate_down(gate_);
  pass(Milliseconds(9000));
  EXPECT_TRUE(routes_.removes.empty());
  pass(Milliseconds(2000));
  EXPECT_EQ(routes_.removes, std::vector<std::string>{"bob"});
}

// --- pull ---

TEST_F(PipelineTest, PullPagesUntilEmptyAndAcknowledges) {
  for (std::uint32_t i = 1; i <= 25; ++i)
    send(i, "alice", "bob", "id-" + std::to_string(i), std::to_string(i));
  settle();
  std::int64_t held = 0;
  std::vector<std::string> got;
  for (std::uint32_t page = 0; page < 10; ++page) {
    client::PullReq pull;
    pull.set_offset(held);
    pull.set_outbox_offset(-1);
    request(gate_, 100 + page, "bob", client::COMMAND_PULL, pull.SerializeAsString(), 500);
    settle();
    const auto response = body_of<client::PullResp>(100 + page);
    EXPECT_EQ(response.inbox_seq(), 25);
    if (response.msg().empty()) break;
    for (const auto& message : response.msg()) {
      EXPECT_EQ(message.seq(), held + 1);
      held = message.seq();
      got.push_back(message.content());
    }
  }
  ASSERT_EQ(got.size(), 25U);
  login(200, "bob", 500);
  settle();
  EXPECT_EQ(body_of<client::AuthResp>(200).acked_inbox_seq(), 25);
}

TEST_F(PipelineTest, PullRefusesOffsetsOutOfRange) {
  send(1, "alice", "bob", "id-1");
  settle();
  client::PullReq pull;
  pull.set_offset(-1);
  request(gate_, 2, "bob", client::COMMAND_PULL, pull.SerializeAsString());
  EXPECT_EQ(body_of<client::PullResp>(2).error().code(), client::ERROR_CODE_BAD_REQUEST);
  pull.set_offset(2);
  request(gate_, 3, "bob", client::COMMAND_PULL, pull.SerializeAsString());
  settle();
  EXPECT_EQ(body_of<client::PullResp>(3).error().code(), client::ERROR_CODE_FAILED_PRECONDITION);
  EXPECT_EQ(body_of<client::PullResp>(3).inbox_seq(), 1);
  pull.set_offset(0);
  pull.set_uid("mallory");
  request(gate_, 4, "bob", client::COMMAND_PULL, pull.SerializeAsString());
  EXPECT_EQ(body_of<client::PullResp>(4).error().code(), client::ERROR_CODE_PERMISSION_DENIED);
  pull.set_uid("");
  pull.set_limit(2147483647);
  request(gate_, 5, "bob", client::COMMAND_PULL, pull.SerializeAsString());
  settle();
  EXPECT_EQ(body_of<client::PullResp>(5).msg_size(), 1);
}

TEST_F(PipelineTest, PullGivesTheOutboxToo) {
  send(1, "alice", "bob", "id-1", "mine");
  settle();
  client::PullReq pull;
  request(gate_, 2, "alice", client::COMMAND_PULL, pull.SerializeAsString());
  settle();
  const auto response = body_of<client::PullResp>(2);
  ASSERT_EQ(response.sent_size(), 1);
  EXPECT_EQ(response.sent(0).content(), "mine");
  EXPECT_EQ(response.sent(0).to(), "bob");
  EXPECT_EQ(response.sent(0).from(), "alice");
}

}  // namespace
}  // namespace hongyan::logic
