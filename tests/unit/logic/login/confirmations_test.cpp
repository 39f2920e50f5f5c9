// Logins of clients that have gone, and of those that are there.
#include "logic/login/confirmations.h"

#include "proto/internal.pb.h"
#include "tests/unit/logic/login/logins_harness.h"

namespace hongyan::logic {
namespace {

class ConfirmationsTest : public LoginsHarness {};

TEST_F(ConfirmationsTest, AnOlderSessionIsKickedOnceTheClientOfTheNewerIsThere) {
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

TEST_F(ConfirmationsTest, AFirstLoginNeedsNoConfirmation) {
  begin_login(500, "phone-1", gate_);
  EXPECT_FALSE(gate_->answers.back().confirm);
  EXPECT_EQ(event_names(), std::vector<std::string>{"login"});
}

TEST_F(ConfirmationsTest, ALoginWhoseClientHasGoneBringsTheOlderBack) {
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

TEST_F(ConfirmationsTest, AGateThatDoesNotConfirmIsBelievedInTheEnd) {
  log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  pass(Milliseconds(2400));
  EXPECT_TRUE(gate_->kicks.empty());
  pass(Milliseconds(100));
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_OTHER_LOGIN}}));
  EXPECT_EQ(event_names(), (std::vector<std::string>{"login", "other_login", "login"}));
}

TEST_F(ConfirmationsTest, AnOlderSessionThatEndsByItselfIsNotKicked) {
  log_in(500, "phone-1");
  const std::uint64_t epoch = begin_login(600, "phone-2", other_);
  close(*gate_, 500);
  tell(other_, session_of("bob", 600, epoch, "phone-2"), false);
  EXPECT_TRUE(gate_->kicks.empty());
  EXPECT_EQ(event_names(), (std::vector<std::string>{"login", "connection_lost", "login"}));
  close(*other_, 600);
  EXPECT_EQ(session(), nullptr);
}

TEST_F(ConfirmationsTest, AnOlderSessionIsAnnouncedWhileTheNewerIsNotConfirmed) {
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

TEST_F(ConfirmationsTest, OfThreeLoginsThoseWhoseClientsHaveGoneDoNotCount) {
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

TEST_F(ConfirmationsTest, AGateThatIsLostBringsTheOlderBack) {
  log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  const auto rebooted = std::make_shared<FakeGate>("gate-2", 89);
  for (auto& thread : threads_) thread->gate_up(rebooted);
  ASSERT_NE(session(), nullptr);
  EXPECT_EQ(session()->channel, 500U);
  for (auto& thread : threads_) thread->gate_up(std::make_shared<FakeGate>("gate-1", 78));
  EXPECT_EQ(session(), nullptr);
}

TEST_F(ConfirmationsTest, ASecondLoginOnAConnectionThatIsNotConfirmedKeepsTheOlder) {
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

TEST_F(ConfirmationsTest, AnAdminKicksTheOlderToo) {
  log_in(500, "phone-1");
  begin_login(600, "phone-2", other_);
  EXPECT_EQ(thread_of("bob").context().users.find("demo", "bob")->sessions.size(), 1U);
  internal::Kick kick;
  request(gate_, 9, "bob", internal::COMMAND_KICK, kick.SerializeAsString());
  EXPECT_EQ(kicks(*gate_), (Kicks{{500, client::KICK_REASON_ADMIN}}));
  EXPECT_EQ(kicks(*other_), (Kicks{{600, client::KICK_REASON_ADMIN}}));
}

}  // namespace
}  // namespace hongyan::logic
