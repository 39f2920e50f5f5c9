#include "logic/login/announcements.h"

#include <optional>

#include "tests/unit/logic/login/logins_harness.h"
#include "tests/unit/logic/user/bare_context.h"

namespace hongyan::logic {
namespace {

class AnnouncementsTest : public ::testing::Test {
 protected:
  static constexpr Slot kSlot = 7;
  static constexpr Slot kOther = 8;

  AnnouncementsTest() {
    acquire(kSlot, 1);
    acquire(kOther, 1);
    for (const auto& gate : {one_, two_}) announcements_.gate_up(*gate);
  }
  void wait(Slot slot) {
    announcements_.wait(slot, [this] { ++ran_; });
  }
  void acquire(Slot slot, std::uint64_t version) { bare_.acquire(slot).version = version; }

  BareContext bare_;
  Announcements announcements_{bare_.context};
  std::shared_ptr<FakeGate> one_ = std::make_shared<FakeGate>("gate-1", 1);
  std::shared_ptr<FakeGate> two_ = std::make_shared<FakeGate>("gate-2", 2);
  int ran_ = 0;
};

TEST_F(AnnouncementsTest, ASlotIsKnownWhenEveryLinkedGateHasTold) {
  EXPECT_FALSE(announcements_.knows(kSlot));
  wait(kSlot);
  announcements_.complete(*one_, 1);
  EXPECT_EQ(ran_, 0);
  announcements_.complete(*two_, 1);
  EXPECT_EQ(ran_, 1);
  EXPECT_TRUE(announcements_.knows(kSlot));
}

TEST_F(AnnouncementsTest, WhatAGateTellsOfSlotsThatCameBeforeDoesNotCount) {
  acquire(kOther, 2);
  wait(kSlot);
  wait(kOther);
  announcements_.complete(*one_, 2);  // of both
  announcements_.complete(*two_, 1);
  EXPECT_EQ(ran_, 1);
  EXPECT_FALSE(announcements_.knows(kOther));
  announcements_.complete(*two_, 2);
  EXPECT_EQ(ran_, 2);
}

TEST_F(AnnouncementsTest, WhatIsAcquiredLaterKeepsNobodyWaiting) {
  wait(kSlot);
  announcements_.complete(*one_, 1);
  acquire(kOther, 2);
  announcements_.complete(*two_, 1);
  EXPECT_EQ(ran_, 1);
  EXPECT_TRUE(announcements_.knows(kSlot));
}

TEST_F(AnnouncementsTest, WhoWaitsForASlotThatLeavesWaitsNoLonger) {
  wait(kSlot);
  bare_.context.slots.forget(kSlot);
  announcements_.tick();
  EXPECT_EQ(ran_, 1);
}

TEST_F(AnnouncementsTest, WhoWaitsForASlotThatLeavesDoesNotWaitForItsReturn) {
  wait(kSlot);
  bare_.context.slots.acquire({.slot = kSlot, .epoch = 2, .mark = 0}, 0).acquired_at = bare_.now;
  announcements_.tick();
  EXPECT_EQ(ran_, 1);
}

TEST_F(AnnouncementsTest, WhoSaysNothingIsWaitedForNoLongerThanPatience) {
  wait(kSlot);
  announcements_.complete(*one_, 1);
  bare_.now += Announcements::kPatience - Milliseconds(1);
  announcements_.tick();
  EXPECT_EQ(ran_, 0);
  bare_.now += Milliseconds(1);
  announcements_.tick();
  EXPECT_EQ(ran_, 1);
}

TEST_F(AnnouncementsTest, PatienceBeginsWhenTheSlotIsAcquired) {
  bare_.now += Milliseconds(1500);
  acquire(kOther, 2);
  wait(kSlot);
  wait(kOther);
  bare_.now += Milliseconds(500);
  announcements_.tick();
  EXPECT_EQ(ran_, 1);
  bare_.now += Milliseconds(1500);
  announcements_.tick();
  EXPECT_EQ(ran_, 2);
}

TEST_F(AnnouncementsTest, AGateWhoseLinkBrokeIsNotWaitedFor) {
  wait(kSlot);
  announcements_.complete(*one_, 1);
  announcements_.gate_down(*two_);
  announcements_.complete(*two_, 1);  // says the link that is gone
  EXPECT_EQ(ran_, 1);
}

TEST_F(AnnouncementsTest, ASlotThatIsNotOwnedIsNobodysToWaitFor) { EXPECT_TRUE(announcements_.knows(9)); }

// --- the same on the pipeline ---

class NewOwnerTest : public LoginsHarness {
 protected:
  NewOwnerTest() {
    restart();
    for (const auto& gate : {gate_, other_}) {
      for (auto& thread : threads_) thread->gate_up(gate);
    }
    acquire({}, {}, {}, 0, 1);
  }
  void tell_all(const std::shared_ptr<FakeGate>& gate, std::optional<link::Session> session = {}) {
    link::Sessions told;
    told.set_announce(true);
    told.set_last(true);
    told.set_slots_version(1);
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

}  // namespace
}  // namespace hongyan::logic
