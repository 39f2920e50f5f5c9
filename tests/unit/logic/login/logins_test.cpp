// Who stays logged in: later logins, expired tokens, what gates tell.
#include "proto/internal.pb.h"
#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {
namespace {

class SessionsTest : public PipelineHarness {
 protected:
  SessionsTest() { acquire(); }

  // Logs bob in; the login epoch.
  std::uint64_t log_in(std::uint64_t channel, std::string_view device_id = "d",
                       std::string_view token = "good", const std::shared_ptr<FakeGate>& gate = nullptr) {
    const std::uint32_t seq = next_seq_++;
    login(seq, "bob", channel, 1, device_id, token, gate);
    settle();
    const auto& at = gate ? gate : gate_;
    const auto* answer = at->answer(seq);
    if (answer->confirm) tell(at, session_of("bob", channel, answer->login_epoch, device_id), false);
    return answer->login_epoch;
  }
  // Logs bob in at a gate that has not told yet whether the client is there; the login epoch.
  std::uint64_t begin_login(std::uint64_t channel, std::string_view device_id,
                            const std::shared_ptr<FakeGate>& gate) {
    const std::uint32_t seq = next_seq_++;
    login(seq, "bob", channel, 1, device_id, "good", gate);
    settle();
    return gate->answer(seq)->login_epoch;
  }
  void close(const FakeGate& gate, std::uint64_t channel) { thread_of("bob").session_closed(gate, channel); }
  [[nodiscard]] std::vector<std::string> event_names() const {
    std::vector<std::string> out;
    for (const auto& event : events_.all) {
      out.push_back(event.kind == Event::Kind::kLogin ? "login" : std::string(event.reason));
    }
    return out;
  }
  [[nodiscard]] Session* session() {
    User* user = thread_of("bob").context().users.find("demo", "bob");
    return user == nullptr || user->sessions.empty() ? nullptr : user->sessions.front().get();
  }
  // Channels kicked at the gate and the reasons; -1: silently.
  [[nodiscard]] static std::vector<std::pair<std::uint64_t, int>> kicks(const FakeGate& gate) {
    std::vector<std::pair<std::uint64_t, int>> out;
    for (const auto& [channel, body] : gate.kicks) {
      client::Kickout kickout;
      EXPECT_TRUE(kickout.ParseFromString(body));
      out.emplace_back(channel, body.empty() ? -1 : kickout.reason());
    }
    return out;
  }
  using Kicks = std::vector<std::pair<std::uint64_t, int>>;

  std::shared_ptr<FakeGate> other_ = std::make_shared<FakeGate>("gate-2", 88);
  std::uint32_t next_seq_ = 1000;
};

// --- tokens ---

TEST_F(SessionsTest, AnExpiredTokenEndsTheSession) {
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

TEST_F(SessionsTest, ANewTokenOnTheSameConnectionCounts) {
  log_in(500, "d", "until " + std::to_string(wall_ + 1000));
  log_in(500, "d", "until " + std::to_string(wall_ + 5000));
  pass(Milliseconds(4900));
  EXPECT_TRUE(gate_->kicks.empty());
  pass(Milliseconds(100));
  EXPECT_EQ(gate_->kicks.size(), 1U);
}

TEST_F(SessionsTest, AnEndedSessionIsNotKickedWhenItsTokenExpires) {
  log_in(500, "d", "until " + std::to_string(wall_ + 1000));
  thread_of("bob").session_closed(*gate_, 500);
  pass(Milliseconds(5000));
  EXPECT_TRUE(gate_->kicks.empty());
}

TEST_F(SessionsTest, AnAnnouncedSessionExpiresToo) {
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

TEST_F(SessionsTest, AnExpiredSessionWhoseKickWasLostIsKickedAgain) {
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

TEST_F(SessionsTest, ATokenFarInTheFutureIsNoTrouble) {
  log_in(500, "d", "until " + std::to_string(INT64_MAX));
  pass(Milliseconds(100'000));
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_NE(session(), nullptr);
}

// --- later logins ---

TEST_F(SessionsTest, AliveWithAnOldEpochIsKicked) {
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

TEST_F(SessionsTest, ALoginThatStorageHeldUpForTooLongReplacesNobody) {
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

TEST_F(SessionsTest, TheSameDeviceOfAnOldEpochGoesSilently) {
  const std::uint64_t first = log_in(500, "phone-1");
  gate_->open = false;
  log_in(600, "phone-1", "good", other_);
  gate_->open = true;
  tell(gate_, session_of("bob", 500, first, "phone-1"), true);
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, -1}}));
}

TEST_F(SessionsTest, TheEarlierLoginDoesNotComeBackWhenTheLaterHasEnded) {
  const std::uint64_t first = log_in(500, "phone-1");
  gate_->open = false;
  log_in(600, "phone-2", "good", other_);
  thread_of("bob").session_closed(*other_, 600);
  gate_->open = true;
  tell(gate_, session_of("bob", 500, first, "phone-1"), false);
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  EXPECT_EQ(session(), nullptr);
}

TEST_F(SessionsTest, AfterARestartTheHigherEpochWinsInAnyOrder) {
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

TEST_F(SessionsTest, AGateThatWasCutOffComesBackWithItsSessions) {
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

TEST_F(SessionsTest, AGateThatWasCutOffForLongIsHeardByWhoIsAlive) {
  const std::uint64_t epoch = log_in(500);
  for (auto& thread : threads_) thread->gate_down(gate_);
  pass(Milliseconds(11'000));
  EXPECT_EQ(session(), nullptr);
  tell(gate_, session_of("bob", 500, epoch), false);
  EXPECT_NE(session(), nullptr);
  EXPECT_TRUE(gate_->kicks.empty());
}

TEST_F(SessionsTest, WhatAGateSaysOfTheEpochBeforeALoginIsNoSecondSession) {
  const std::uint64_t first = log_in(500);
  const std::uint64_t second = log_in(500);  // the same connection once more; its answer is still on its way
  tell(gate_, session_of("bob", 500, first), true);
  EXPECT_TRUE(gate_->kicks.empty());
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->login_epoch, second);
}

// --- logins of clients that have gone ---

TEST_F(SessionsTest, AnOlderSessionIsKickedOnceTheClientOfTheNewerIsThere) {
  log_in(500, "phone-1");
  const std::uint64_t epoch = begin_login(600, "phone-2", other_);
  EXPECT_TRUE(other_->answers.back().confirm);
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_EQ(session()->channel, 600U);
  tell(other_, session_of("bob", 600, epoch, "phone-2"), false);
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  EXPECT_EQ(event_names(), (std::vector<std::string>{"login", "other_login", "login"}));
  tell(other_, session_of("bob", 600, epoch, "phone-2"), false);
  pass(Milliseconds(10'000));
  EXPECT_EQ(gate_->kicks.size(), 1U);
  EXPECT_EQ(event_names().size(), 3U);
}

TEST_F(SessionsTest, AFirstLoginNeedsNoConfirmation) {
  begin_login(500, "phone-1", gate_);
  EXPECT_FALSE(gate_->answers.back().confirm);
  EXPECT_EQ(event_names(), std::vector<std::string>{"login"});
}

TEST_F(SessionsTest, ALoginWhoseClientHasGoneBringsTheOlderBack) {
  const std::uint64_t epoch = log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  send(1, "alice", "bob", "id-1");
  settle();
  EXPECT_TRUE(gate_->pushes.empty());
  close(*other_, 600);
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->channel, 500U);
  EXPECT_EQ(routes_.puts.size(), 3U);
  pass(Milliseconds(10'000));
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_EQ(event_names(), std::vector<std::string>{"login"});
  // It learns of what was pushed elsewhere meanwhile, and gets what comes now.
  ASSERT_EQ(gate_->pushes.size(), 1U);
  EXPECT_EQ(gate_->pushes[0].cmd_id, static_cast<std::uint32_t>(client::COMMAND_SYNC_NOTIFY));
  ack("bob", 500, 1);
  send(2, "alice", "bob", "id-2");
  settle();
  EXPECT_EQ(gate_->pushes.back().cmd_id, static_cast<std::uint32_t>(client::COMMAND_C2C_PUSH));
  // A life sign of it is no reason to kick it, although a higher epoch was given.
  tell(gate_, session_of("bob", 500, epoch, "phone-1"), false);
  tell(gate_, session_of("bob", 500, epoch, "phone-1"), true);
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_EQ(session()->channel, 500U);
}

TEST_F(SessionsTest, AGateThatDoesNotConfirmIsBelievedInTheEnd) {
  log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  pass(Milliseconds(2400));
  EXPECT_TRUE(gate_->kicks.empty());
  pass(Milliseconds(100));
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  EXPECT_EQ(event_names(), (std::vector<std::string>{"login", "other_login", "login"}));
}

TEST_F(SessionsTest, AnOlderSessionThatEndsByItselfIsNotKicked) {
  log_in(500, "phone-1");
  const std::uint64_t epoch = begin_login(600, "phone-2", other_);
  close(*gate_, 500);
  tell(other_, session_of("bob", 600, epoch, "phone-2"), false);
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_EQ(event_names(), (std::vector<std::string>{"login", "connection_lost", "login"}));
  close(*other_, 600);
  EXPECT_EQ(session(), nullptr);
}

TEST_F(SessionsTest, AnOlderSessionIsAnnouncedWhileTheNewerIsNotConfirmed) {
  const std::uint64_t first = log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  const auto again = std::make_shared<FakeGate>("gate-1", 77);  // the same boot, a new link
  tell(again, session_of("bob", 500, first, "phone-1"), true);
  EXPECT_TRUE(again->kicks.empty());
  EXPECT_EQ(session()->channel, 600U);
  close(*other_, 600);
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->gate, again);
}

TEST_F(SessionsTest, OfThreeLoginsThoseWhoseClientsHaveGoneDoNotCount) {
  log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  const std::uint64_t third = begin_login(700, "phone-3", other_);
  close(*other_, 600);  // in the middle
  EXPECT_EQ(session()->channel, 700U);
  EXPECT_TRUE(gate_->kicks.empty());
  tell(other_, session_of("bob", 700, third, "phone-3"), false);
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  EXPECT_TRUE(other_->kicks.empty());
  EXPECT_EQ(event_names(), (std::vector<std::string>{"login", "other_login", "login"}));
  close(*other_, 700);
  EXPECT_EQ(session(), nullptr);
}

TEST_F(SessionsTest, AGateThatIsLostBringsTheOlderBack) {
  log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  const auto rebooted = std::make_shared<FakeGate>("gate-2", 89);
  for (auto& thread : threads_) thread->gate_up(rebooted);
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->channel, 500U);
  for (auto& thread : threads_) thread->gate_up(std::make_shared<FakeGate>("gate-1", 78));
  EXPECT_EQ(session(), nullptr);
}

TEST_F(SessionsTest, ASecondLoginOnAConnectionThatIsNotConfirmedKeepsTheOlder) {
  log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  const std::uint64_t again = begin_login(600, "phone-2", other_);
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_TRUE(other_->answers.back().confirm);
  tell(other_, session_of("bob", 600, again, "phone-2"), false);
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  EXPECT_TRUE(other_->kicks.empty());
  EXPECT_EQ(session()->channel, 600U);
}

TEST_F(SessionsTest, AnAdminKicksTheOlderToo) {
  log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  EXPECT_EQ(thread_of("bob").context().users.find("demo", "bob")->sessions.size(), 1U);
  internal::Kick kick;
  request(gate_, 9, "bob", internal::COMMAND_KICK, kick.SerializeAsString());
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_ADMIN}}));
  EXPECT_EQ(kicks(*other_), (Kicks{{600, client::KICK_REASON_ADMIN}}));
}

TEST_F(SessionsTest, AWaitingLoginWhoseClientHasGoneReplacesNobody) {
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

TEST_F(SessionsTest, AWaitingLoginWhoseGateIsCutOffReplacesNobody) {
  login(1, "bob", 500, 1, "phone-1");
  login(2, "bob", 600, 1, "phone-2", "good", other_);
  other_->open = false;  // it sends the AUTH again over its next link
  settle();
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->channel, 500U);
}

TEST_F(SessionsTest, AConnectionThatEndsRightAfterItsLoginIsNoSession) {
  login(1, "bob", 500);
  settle();
  close(*gate_, 500);
  EXPECT_EQ(session(), nullptr);
  login(2, "bob", 600);  // known, so that it does not wait
  close(*gate_, 600);
  EXPECT_EQ(session(), nullptr);
  EXPECT_EQ(thread_of("bob").context().counters.sessions.load(), 0);
}

// --- an owner that is new ---

class NewOwnerTest : public SessionsTest {
 protected:
  NewOwnerTest() {
    restart();
    for (const auto& gate : {gate_, other_}) {
      for (auto& thread : threads_) thread->gate_up(gate);
      gate->asked_for_sessions();
    }
    acquire();
  }
  void tell_all(const std::shared_ptr<FakeGate>& gate, std::optional<link::Session> session = {}) {
    link::Sessions told;
    told.set_announce(true);
    told.set_last(true);
    if (session) *told.add_sessions() = std::move(*session);
    for (auto& thread : threads_) thread->sessions(gate, told);
    settle();
  }
  // A session of long ago by a clock that was ahead.
  static constexpr std::uint64_t kAhead = 5'000'000'000'000;
};

TEST_F(NewOwnerTest, GivesNoEpochBelowThoseOfTheSessionsThatAreThere) {
  login(1, "bob", 600, 1, "phone-2");
  settle();
  tell_all(gate_);
  EXPECT_EQ(gate_->answer(1), nullptr);
  tell_all(other_, session_of("bob", 500, kAhead, "phone-1"));
  ASSERT_NE(gate_->answer(1), nullptr);
  EXPECT_EQ(gate_->answer(1)->login_epoch, kAhead + 1);
  confirm(1, "bob", 600);
  EXPECT_EQ(kicks(*other_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  login(2, "bob", 700);  // from now on nobody waits
  EXPECT_NE(gate_->answer(2), nullptr);
}

TEST_F(NewOwnerTest, DoesNotWaitForLongForAGateThatSaysNothing) {
  login(1, "bob", 600);
  settle();
  tell_all(gate_);
  pass(Milliseconds(1900));
  EXPECT_EQ(gate_->answer(1), nullptr);
  pass(Milliseconds(100));
  ASSERT_NE(gate_->answer(1), nullptr);
  EXPECT_FALSE(gate_->answer(1)->refused);
}

TEST_F(NewOwnerTest, DoesNotWaitForAGateThatIsCutOff) {
  login(1, "bob", 600);
  settle();
  tell_all(gate_);
  for (auto& thread : threads_) thread->gate_down(other_);
  pass(Milliseconds(100));
  EXPECT_NE(gate_->answer(1), nullptr);
}

TEST_F(NewOwnerTest, ALoginThatWaitsAndWhoseClientHasGoneIsForgotten) {
  login(1, "bob", 600);
  settle();
  close(*gate_, 600);
  tell_all(gate_);
  tell_all(other_);
  EXPECT_TRUE(gate_->answer(1)->refused);
  EXPECT_EQ(session(), nullptr);
  EXPECT_EQ(thread_of("bob").context().users.find("demo", "bob")->busy, 0U);
}

// --- who does not acknowledge ---

TEST_F(SessionsTest, WhoOnlySendsKeepalivesIsToldToPull) {
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

TEST_F(SessionsTest, APushThatTheLinkDidNotTakeIsMadeUpFor) {
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
