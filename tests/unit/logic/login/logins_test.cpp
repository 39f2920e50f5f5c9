// Who stays logged in: later logins, expired tokens, what gates tell.
#include "tests/unit/logic/login/logins_harness.h"

namespace hongyan::logic {
namespace {

class LoginsTest : public LoginsHarness {};

// --- tokens ---

TEST_F(LoginsTest, AnExpiredTokenEndsTheSession) {
  const std::int64_t expires = wall_ + 10'000;
  log_in(500, "d", "until " + std::to_string(expires));
  EXPECT_EQ(gate_->answers.back().expires_ms, expires);
  pass(Milliseconds(9900));
  EXPECT_TRUE(gate_->kicks.empty());
  pass(Milliseconds(100));
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_TOKEN_EXPIRED}}));
  EXPECT_EQ(session(), nullptr);
  EXPECT_EQ(routes_.removes, std::vector<std::string>{"bob"});
  EXPECT_EQ(events_.all.back().reason, "token_expired");
  pass(Milliseconds(10'000));
  EXPECT_EQ(gate_->kicks.size(), 1U);
}

TEST_F(LoginsTest, ANewTokenOnTheSameConnectionCounts) {
  log_in(500, "d", "until " + std::to_string(wall_ + 1000));
  log_in(500, "d", "until " + std::to_string(wall_ + 5000));
  pass(Milliseconds(4900));
  EXPECT_TRUE(gate_->kicks.empty());
  pass(Milliseconds(100));
  EXPECT_EQ(gate_->kicks.size(), 1U);
}

TEST_F(LoginsTest, AnEndedSessionIsNotKickedWhenItsTokenExpires) {
  log_in(500, "d", "until " + std::to_string(wall_ + 1000));
  thread_of("bob").session_closed(*gate_, 500);
  pass(Milliseconds(5000));
  EXPECT_TRUE(gate_->kicks.empty());
}

TEST_F(LoginsTest, AnAnnouncedSessionExpiresToo) {
  const std::uint64_t epoch = log_in(500, "d", "until " + std::to_string(wall_ + 1000));
  restart();
  acquire();
  auto told = session_of("bob", 500, epoch);
  told.set_expires_ms(wall_ + 1000);
  tell(gate_, told, true);
  pass(Milliseconds(900));
  EXPECT_TRUE(gate_->kicks.empty());
  pass(Milliseconds(100));
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_TOKEN_EXPIRED}}));
}

TEST_F(LoginsTest, AnExpiredSessionWhoseKickWasLostIsKickedAgain) {
  const std::uint64_t epoch = log_in(500, "d", "until " + std::to_string(wall_ + 1000));
  gate_->open = false;
  pass(Milliseconds(1000));
  EXPECT_TRUE(gate_->kicks.empty());
  gate_->open = true;
  auto told = session_of("bob", 500, epoch);
  told.set_expires_ms(wall_);
  tell(gate_, told, false);
  pass(Milliseconds(100));
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_TOKEN_EXPIRED}}));
  EXPECT_EQ(session(), nullptr);
}

TEST_F(LoginsTest, ATokenFarInTheFutureIsNoTrouble) {
  log_in(500, "d", "until " + std::to_string(INT64_MAX));
  pass(Milliseconds(100'000));
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_NE(session(), nullptr);
}

// --- later logins ---

TEST_F(LoginsTest, AliveWithAnOldEpochIsKicked) {
  const std::uint64_t first = log_in(500, "phone-1");
  gate_->open = false;  // the kick is lost
  log_in(600, "phone-2", "good", other_);
  gate_->open = true;
  EXPECT_TRUE(gate_->kicks.empty());
  tell(gate_, session_of("bob", 500, first, "phone-1"), false);
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  EXPECT_TRUE(other_->kicks.empty());
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->channel, 600U);
}

TEST_F(LoginsTest, ALoginThatStorageHeldUpForTooLongReplacesNobody) {
  login(1, "bob", 500, 1, "phone-1");  // both wait for bob's tails
  now_ += config_.accept_deadline + Milliseconds(1);
  login(2, "bob", 600, 1, "phone-2");
  settle();
  EXPECT_EQ(body_of<client::ErrorOnly>(1).error().code(), client::ERROR_CODE_UNAVAILABLE);
  EXPECT_FALSE(body_of<client::ErrorOnly>(2).has_error());
  EXPECT_TRUE(gate_->kicks.empty());
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->channel, 600U);
}

TEST_F(LoginsTest, TheSameDeviceOfAnOldEpochGoesSilently) {
  const std::uint64_t first = log_in(500, "phone-1");
  gate_->open = false;
  log_in(600, "phone-1", "good", other_);
  gate_->open = true;
  tell(gate_, session_of("bob", 500, first, "phone-1"), true);
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, -1}}));
}

TEST_F(LoginsTest, TheEarlierLoginDoesNotComeBackWhenTheLaterHasEnded) {
  const std::uint64_t first = log_in(500, "phone-1");
  gate_->open = false;
  log_in(600, "phone-2", "good", other_);
  thread_of("bob").session_closed(*other_, 600);
  gate_->open = true;
  tell(gate_, session_of("bob", 500, first, "phone-1"), false);
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  EXPECT_EQ(session(), nullptr);
}

TEST_F(LoginsTest, AfterARestartTheHigherEpochWinsInAnyOrder) {
  for (const bool higher_first : {true, false}) {
    restart();
    acquire();
    gate_->kicks.clear();
    other_->kicks.clear();
    const auto older = session_of("bob", 500, 100, "phone-1");
    const auto newer = session_of("bob", 600, 101, "phone-2");
    if (higher_first) tell(other_, newer, true);
    tell(gate_, older, true);
    if (!higher_first) tell(other_, newer, true);
    EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}})) << higher_first;
    EXPECT_TRUE(other_->kicks.empty());
    ASSERT_NE(session(), nullptr);
    EXPECT_EQ(session()->channel, 600U);
  }
}

TEST_F(LoginsTest, AGateThatWasCutOffComesBackWithItsSessions) {
  const std::uint64_t epoch = log_in(500);
  for (auto& thread : threads_) thread->gate_down(gate_);
  const auto again = std::make_shared<FakeGate>("gate-1", 77);  // the same boot, a new link
  tell(again, session_of("bob", 500, epoch), true);
  pass(Milliseconds(11'000));  // the grace of the old link ends
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->gate, again);
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_TRUE(again->kicks.empty());
}

TEST_F(LoginsTest, AGateThatWasCutOffForLongIsHeardByWhoIsAlive) {
  const std::uint64_t epoch = log_in(500);
  for (auto& thread : threads_) thread->gate_down(gate_);
  pass(Milliseconds(11'000));
  EXPECT_EQ(session(), nullptr);
  tell(gate_, session_of("bob", 500, epoch), false);
  EXPECT_NE(session(), nullptr);
  EXPECT_TRUE(gate_->kicks.empty());
}

TEST_F(LoginsTest, WhatAGateSaysOfTheEpochBeforeALoginIsNoSecondSession) {
  const std::uint64_t first = log_in(500);
  const std::uint64_t second = log_in(500);  // the same connection once more; its answer is still on its way
  tell(gate_, session_of("bob", 500, first), true);
  EXPECT_TRUE(gate_->kicks.empty());
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->login_epoch, second);
}

// --- logins that wait ---

TEST_F(LoginsTest, AWaitingLoginWhoseClientHasGoneReplacesNobody) {
  login(1, "bob", 500, 1, "phone-1");  // both wait for bob's tails
  login(2, "bob", 600, 1, "phone-2", "good", other_);
  close(*other_, 600);
  settle();
  EXPECT_FALSE(body_of<client::ErrorOnly>(1).has_error());
  ASSERT_NE(other_->answer(2), nullptr);
  EXPECT_TRUE(other_->answer(2)->refused);
  EXPECT_TRUE(gate_->kicks.empty());
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->channel, 500U);
  EXPECT_EQ(event_names(), std::vector<std::string>{"login"});
}

TEST_F(LoginsTest, AWaitingLoginWhoseGateIsCutOffReplacesNobody) {
  login(1, "bob", 500, 1, "phone-1");
  login(2, "bob", 600, 1, "phone-2", "good", other_);
  other_->open = false;  // it sends the AUTH again over its next link
  settle();
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->channel, 500U);
}

TEST_F(LoginsTest, AConnectionThatEndsRightAfterItsLoginIsNoSession) {
  login(1, "bob", 500);
  settle();
  close(*gate_, 500);
  EXPECT_EQ(session(), nullptr);
  login(2, "bob", 600);  // known, so that it does not wait
  close(*gate_, 600);
  EXPECT_EQ(session(), nullptr);
  EXPECT_EQ(thread_of("bob").context().counters.sessions.load(), 0);
}

// --- who does not acknowledge ---

TEST_F(LoginsTest, WhoOnlySendsKeepalivesIsToldToPull) {
  const std::uint64_t epoch = log_in(500);
  send(1, "alice", "bob", "id-1");
  settle();
  pass(Milliseconds(5100));
  pass(Milliseconds(5100));
  EXPECT_EQ(count(&PipelineCounters::undelivered), 1U);
  EXPECT_EQ(gate_->pushes.size(), 2U);
  tell(gate_, session_of("bob", 500, epoch), false);
  ASSERT_EQ(gate_->pushes.size(), 3U);
  EXPECT_EQ(gate_->pushes[2].cmd_id, static_cast<std::uint32_t>(client::COMMAND_SYNC_NOTIFY));
  tell(gate_, session_of("bob", 500, epoch), false);  // told once
  EXPECT_EQ(gate_->pushes.size(), 3U);
}

TEST_F(LoginsTest, APushThatTheLinkDidNotTakeIsMadeUpFor) {
  const std::uint64_t epoch = log_in(500);
  gate_->open = false;
  send(1, "alice", "bob", "id-1");
  settle();
  gate_->open = true;
  send(2, "alice", "bob", "id-2");
  settle();
  EXPECT_TRUE(gate_->pushes.empty());  // nothing above a gap
  tell(gate_, session_of("bob", 500, epoch), false);
  ASSERT_EQ(gate_->pushes.size(), 1U);
  EXPECT_EQ(gate_->pushes[0].cmd_id, static_cast<std::uint32_t>(client::COMMAND_SYNC_NOTIFY));
  client::PullReq pull;
  request(gate_, 3, "bob", client::COMMAND_PULL, pull.SerializeAsString(), 500);
  settle();
  ack("bob", 500, 2);
  send(4, "alice", "bob", "id-3");
  settle();
  EXPECT_EQ(gate_->pushes.back().cmd_id, static_cast<std::uint32_t>(client::COMMAND_C2C_PUSH));
}

}  // namespace
}  // namespace hongyan::logic
