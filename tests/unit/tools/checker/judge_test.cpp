#include "tools/checker/judge.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hongyan::checker {
namespace {

constexpr Micros kSecond = 1'000'000;

// alice sends m1, m2 and m3 to bob, one after the other; bob is online and pulls them at the end.
class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() {
    for (int i = 1; i <= 3; ++i) {
      const std::string id = "m" + std::to_string(i);
      history_.attempts.push_back({.sender = "alice",
                                   .client_msg_id = id,
                                   .receiver = "bob",
                                   .content = digest_of("text " + id),
                                   .invoked = i * kSecond,
                                   .outcome = Outcome::kOk,
                                   .answered = i * kSecond + 500,
                                   .msg_id = 100 + i,
                                   .outbox_seq = i});
      const Row row = row_of(id, i);
      history_.pushes.push_back({.uid = "bob", .device = "phone", .at = i * kSecond + 900, .row = row});
      tell(i * kSecond + 900, i);
      inbox().push_back(row);
      outbox().push_back(row);
      outbox().back().to = "bob";
    }
    history_.heads.insert(history_.heads.begin(), {.uid = "bob", .device = "phone", .login = true});
    history_.online.push_back({.uid = "bob", .device = "phone"});
    history_.healed = 4 * kSecond;
  }

  static Row row_of(const std::string& id, std::int64_t seq) {
    return {.seq = seq,
            .msg_id = 100 + seq,
            .from = "alice",
            .client_msg_id = id,
            .content = digest_of("text " + id)};
  }
  void tell(Micros at, std::int64_t seq) {
    history_.heads.push_back({.uid = "bob", .device = "phone", .asked = at, .at = at, .inbox_seq = seq});
  }
  std::vector<Row>& inbox() { return history_.pulled[0].inbox; }
  std::vector<Row>& outbox() { return history_.pulled[1].outbox; }
  Attempt& attempt(std::size_t number) { return history_.attempts[number - 1]; }
  // Neither pushed nor told of.
  void forget_live() {
    history_.pushes.clear();
    history_.heads.clear();
    history_.online.clear();
  }

  // Exactly these, and nothing else.
  void expect(std::vector<std::pair<Violation, std::uint64_t>> wanted) const {
    const Verdict verdict = judge(history_);
    std::array<std::uint64_t, kViolations> counts = {};
    for (const auto& [violation, count] : wanted) counts[static_cast<std::size_t>(violation)] = count;
    for (std::size_t i = 0; i < kViolations; ++i)
      EXPECT_EQ(verdict.counts[i], counts[i]) << name_of(static_cast<Violation>(i));
    EXPECT_EQ(verdict.clean(), wanted.empty());
    std::uint64_t all = 0;
    for (const auto count : counts) all += count;
    EXPECT_EQ(verdict.findings.size(), all);
  }

  History history_ = {.pulled = {{.uid = "bob", .device = "phone"}, {.uid = "alice", .device = "desk"}}};
};

TEST_F(JudgeTest, NothingHappened) { EXPECT_TRUE(judge({}).clean()); }

TEST_F(JudgeTest, Clean) {
  expect({});
  const Verdict verdict = judge(history_);
  EXPECT_EQ(verdict.acknowledged, 3U);
  EXPECT_EQ(verdict.attempts, 3U);
}

TEST_F(JudgeTest, UnknownMayBeThereOrNot) {
  attempt(2).outcome = Outcome::kUnknown;
  expect({});
  attempt(3).outcome = Outcome::kUnknown;
  inbox().pop_back();
  outbox().pop_back();
  history_.pushes.pop_back();
  history_.heads.pop_back();
  expect({});
  EXPECT_EQ(judge(history_).unknown, 2U);
}

TEST_F(JudgeTest, UnknownThenRefusedStaysUnknown) {
  attempt(3).outcome = Outcome::kUnknown;
  history_.attempts.push_back(attempt(3));
  history_.attempts.back().outcome = Outcome::kRefused;
  expect({});
}

TEST_F(JudgeTest, ResendWithTheSameId) {
  history_.attempts.push_back(attempt(1));
  history_.attempts.back().invoked += 10 * kSecond;
  history_.attempts.back().answered += 10 * kSecond;
  expect({});
}

TEST_F(JudgeTest, Lost) {
  inbox().pop_back();
  forget_live();
  expect({{Violation::kLost, 1}});
}

TEST_F(JudgeTest, LostOnOneOfTwoDevices) {
  history_.pulled.push_back(history_.pulled[0]);
  history_.pulled.back().device = "web";
  expect({});
  history_.pulled.back().inbox.pop_back();
  expect({{Violation::kLost, 1}});
}

TEST_F(JudgeTest, LostBecauseNobodyPulled) {
  history_.pulled.erase(history_.pulled.begin());
  forget_live();
  expect({{Violation::kLost, 3}});
}

TEST_F(JudgeTest, LostFromTheOutbox) {
  outbox().pop_back();
  expect({{Violation::kLost, 1}});
}

TEST_F(JudgeTest, StoredOnOneSideOnly) {
  attempt(3).outcome = Outcome::kUnknown;
  forget_live();
  inbox().pop_back();
  expect({{Violation::kLost, 1}});
}

TEST_F(JudgeTest, GhostThatWasRefused) {
  attempt(3).outcome = Outcome::kRefused;
  forget_live();
  outbox().pop_back();
  expect({{Violation::kGhost, 1}, {Violation::kLost, 1}});
}

TEST_F(JudgeTest, GhostThatNobodySent) {
  inbox().push_back(row_of("m9", 4));
  expect({{Violation::kGhost, 1}});
}

TEST_F(JudgeTest, GhostPush) {
  history_.pushes.push_back({.uid = "bob", .device = "phone", .row = row_of("m9", 3)});
  expect({{Violation::kGhost, 1}});
}

TEST_F(JudgeTest, Misrouted) {
  history_.pulled.push_back({.uid = "carol", .device = "phone", .inbox = {row_of("m1", 1)}});
  expect({{Violation::kMisrouted, 1}});
}

TEST_F(JudgeTest, MisroutedPush) {
  history_.pushes.push_back({.uid = "carol", .device = "phone", .row = row_of("m1", 1)});
  expect({{Violation::kMisrouted, 1}});
}

TEST_F(JudgeTest, MisroutedInTheOutbox) {
  outbox()[1].to = "carol";
  expect({{Violation::kMisrouted, 1}, {Violation::kLost, 1}});
}

TEST_F(JudgeTest, Duplicate) {
  Row again = row_of("m1", 4);
  again.msg_id = 101;
  inbox().push_back(again);
  expect({{Violation::kDuplicate, 1}});
}

TEST_F(JudgeTest, Changed) {
  inbox()[1].content = digest_of("text m2\n");
  expect({{Violation::kChanged, 1}});
}

TEST_F(JudgeTest, ChangedInThePush) {
  history_.pushes[1].row.content = digest_of("");
  expect({{Violation::kChanged, 1}});
}

TEST_F(JudgeTest, Gap) {
  forget_live();
  inbox()[2].seq = 5;
  expect({{Violation::kGap, 1}});
}

TEST_F(JudgeTest, GapAtTheBeginningOfTheOutbox) {
  for (auto& row : outbox()) ++row.seq;
  for (auto& one : history_.attempts) ++one.outbox_seq;
  expect({{Violation::kGap, 1}});
}

TEST_F(JudgeTest, RegressInThePull) {
  forget_live();
  inbox()[2].seq = 2;
  expect({{Violation::kRegress, 1}});
}

TEST_F(JudgeTest, RegressOfANumberThatWasPushed) {
  history_.pushes[1].row = row_of("m2", 7);
  history_.pushes[1].row.msg_id = 102;
  expect({{Violation::kRegress, 1}});
}

TEST_F(JudgeTest, RegressOfAnOutboxNumberThatWasAcknowledged) {
  attempt(3).outbox_seq = 9;
  expect({{Violation::kRegress, 1}});
}

TEST_F(JudgeTest, RegressAtLogin) {
  history_.heads.push_back({.uid = "bob",
                            .device = "phone",
                            .asked = 5 * kSecond,
                            .at = 6 * kSecond,
                            .inbox_seq = 2,
                            .login = true});
  expect({{Violation::kRegress, 1}});
}

TEST_F(JudgeTest, ALoginMayBeAnsweredBeforeWhatWasToldMeanwhile) {
  history_.heads.push_back({.uid = "bob",
                            .device = "phone",
                            .asked = 3 * kSecond,
                            .at = 6 * kSecond,
                            .inbox_seq = 2,
                            .login = true});
  expect({});
}

TEST_F(JudgeTest, Inversion) {
  forget_live();
  std::swap(inbox()[0], inbox()[1]);
  std::swap(inbox()[0].seq, inbox()[1].seq);
  expect({{Violation::kInversion, 1}});
}

TEST_F(JudgeTest, NoOrderBetweenMessagesThatWereUnderWayTogether) {
  forget_live();
  attempt(2).invoked = attempt(1).answered - 1;
  std::swap(inbox()[0], inbox()[1]);
  std::swap(inbox()[0].seq, inbox()[1].seq);
  expect({});
}

TEST_F(JudgeTest, NeverPushed) {
  history_.pushes.pop_back();
  history_.heads.pop_back();
  expect({{Violation::kNeverPushed, 1}});
}

TEST_F(JudgeTest, PushedTooLate) {
  history_.heads.pop_back();
  tell(history_.healed + kPushDeadline, 3);
  expect({});
  history_.heads.pop_back();
  tell(history_.healed + kPushDeadline + 1, 3);
  expect({{Violation::kNeverPushed, 1}});
}

TEST_F(JudgeTest, WhoIsNotOnlineNeedsNoPush) {
  forget_live();
  expect({});
}

TEST_F(JudgeTest, UnstableId) {
  history_.attempts.push_back(attempt(1));
  history_.attempts.back().answered += kSecond;
  history_.attempts.back().msg_id = 999;
  expect({{Violation::kUnstableId, 1}});
}

TEST_F(JudgeTest, UnstableIdOfTheStoredRow) {
  forget_live();
  inbox()[0].msg_id = 999;
  expect({{Violation::kUnstableId, 1}});
}

TEST_F(JudgeTest, APushThatSkipsWhatItsConnectionHasNotHeard) {
  for (auto& head : history_.heads) head.push = !head.login;
  history_.pushes_follow = true;
  expect({});
  history_.heads[2].inbox_seq = 1;  // 2 was not pushed, 1 once more
  expect({{Violation::kSkipped, 1}});
  history_.pushes_follow = false;
  expect({});
}

TEST_F(JudgeTest, WhatAConnectionHearsOfIsNoneOfAnothers) {
  for (auto& head : history_.heads) head.push = !head.login;
  history_.pushes_follow = true;
  history_.heads.back().connection = 7;  // knows nothing before its first push
  expect({{Violation::kSkipped, 1}});
  auto told = history_.heads.back();
  told.push = false;  // a SYNC_NOTIFY, or a pull
  told.inbox_seq = 2;
  history_.heads.insert(history_.heads.end() - 1, told);
  expect({});
}

}  // namespace
}  // namespace hongyan::checker
