#include <gtest/gtest.h>

#include <algorithm>

#include "tools/checker/judge.h"

namespace hongyan::checker {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr std::int64_t kGroup = 900;

// A group of ann, bob and cid: 1 is its making, 2 and 3 are messages of ann, 4 takes dan in, 5 is one of
// bob's, 6 sends cid away, 7 is one of ann's. With `large`, it is large from 5 on. bob is online on a phone.
class GroupJudgeTest : public ::testing::Test {
 protected:
  void build(bool large = false) {
    log_ = {row(1, "ann", GroupChange::kMade, {"ann", "bob", "cid"}),
            row(2, "ann"),
            row(3, "ann"),
            row(4, "ann", GroupChange::kJoined, {"dan"}),
            row(5, "bob"),
            row(6, "ann", GroupChange::kLeft, {"cid"}),
            row(7, "ann")};
    history_ = {};
    for (const Row& row : log_) {
      if (row.change == GroupChange::kMade) continue;
      const Micros invoked = row.group_seq * kSecond;
      history_.attempts.push_back({.sender = row.from,
                                   .client_msg_id = row.client_msg_id,
                                   .content = row.content,
                                   .invoked = invoked,
                                   .outcome = Outcome::kOk,
                                   .answered = invoked + 500,
                                   .msg_id = row.msg_id,
                                   .group_id = kGroup,
                                   .change = row.change != GroupChange::kNone});
    }
    for (const auto* uid : {"ann", "bob", "cid", "dan"}) {
      history_.pulled.push_back({.uid = uid, .device = "auditor", .fresh = true});
      for (const Row& row : log_) take(history_.pulled.back(), row, large);
    }
    history_.heads = {{.uid = "bob", .device = "phone", .login = true}};
    for (const Row& row : of("bob").inbox) hear(row, row.seq, 0);
    for (const Row& row : of("bob").groups) hear(row, row.group_seq, kGroup);
    history_.online = {{.uid = "bob", .device = "phone"}};
    history_.healed = 8 * kSecond;
  }

  static Row row(std::int64_t seq, const std::string& from, GroupChange change = GroupChange::kNone,
                 std::vector<std::string> members = {}) {
    const std::string id = "g" + std::to_string(seq);
    return {.msg_id = 100 + seq,
            .from = from,
            .client_msg_id = id,
            .content = digest_of("text " + id),
            .group_id = kGroup,
            .group_seq = seq,
            .change = change,
            .members = std::move(members)};
  }
  static void take(Pulled& pulled, Row row, bool large) {
    if (pulled.uid == "dan" && row.group_seq < 4) return;
    if (pulled.uid == "cid" && row.group_seq > 6) return;
    const bool own_part = std::ranges::find(row.members, pulled.uid) != row.members.end();
    if (large && row.group_seq >= 5) pulled.groups.push_back(row);
    if (large && row.group_seq >= 5 && !own_part) return;
    row.seq = static_cast<std::int64_t>(pulled.inbox.size()) + 1;
    pulled.inbox.push_back(row);
  }
  void hear(const Row& row, std::int64_t seq, std::int64_t group_id) {
    const Micros at = row.group_seq * kSecond + 900;
    history_.pushes.push_back({.uid = "bob", .device = "phone", .at = at, .row = row});
    history_.heads.push_back(
        {.uid = "bob", .device = "phone", .asked = at, .at = at, .inbox_seq = seq, .group_id = group_id});
  }
  void be_offline() {
    history_.pushes.clear();
    history_.heads.clear();
    history_.online.clear();
  }

  Pulled& of(const std::string& uid) { return *std::ranges::find(history_.pulled, uid, &Pulled::uid); }
  Attempt& attempt(std::int64_t seq) { return history_.attempts[static_cast<std::size_t>(seq - 2)]; }
  static void drop(std::vector<Row>& rows, std::int64_t seq) {
    std::erase_if(rows, [seq](const Row& row) { return row.group_seq == seq; });
    std::int64_t next = 0;
    for (auto& row : rows) row.seq = row.seq == 0 ? 0 : ++next;
  }
  static Row& at(std::vector<Row>& rows, std::int64_t seq) {
    return *std::ranges::find(rows, seq, &Row::group_seq);
  }

  // Exactly these, and nothing else.
  void expect(const std::vector<std::pair<Violation, std::uint64_t>>& wanted) const {
    const Verdict verdict = judge(history_);
    std::array<std::uint64_t, kViolations> counts = {};
    for (const auto& [violation, count] : wanted) counts[static_cast<std::size_t>(violation)] = count;
    for (std::size_t i = 0; i < kViolations; ++i)
      EXPECT_EQ(verdict.counts[i], counts[i]) << name_of(static_cast<Violation>(i));
  }

  std::vector<Row> log_;
  History history_;
};

TEST_F(GroupJudgeTest, Clean) {
  build();
  expect({});
  EXPECT_EQ(judge(history_).acknowledged, 6U);
  EXPECT_EQ(judge(history_).large_groups, 0U);
  build(/*large=*/true);
  expect({});
  EXPECT_EQ(judge(history_).groups, 1U);
  EXPECT_EQ(judge(history_).large_groups, 1U);
}

TEST_F(GroupJudgeTest, AMemberLacksAMessage) {
  build();
  drop(of("cid").inbox, 3);
  expect({{Violation::kLost, 1}});
  build(true);
  drop(of("cid").groups, 5);
  expect({{Violation::kLost, 1}});
  of("cid").fresh = false;  // its cursor may stand behind it
  expect({});
}

TEST_F(GroupJudgeTest, AMemberLacksItsOwnRemoval) {
  build(true);
  drop(of("cid").inbox, 6);
  expect({{Violation::kLost, 1}});
}

TEST_F(GroupJudgeTest, NobodyHasAnAcknowledgedMessage) {
  build();
  be_offline();
  for (auto& pulled : history_.pulled) drop(pulled.inbox, 7);
  expect({{Violation::kLost, 1}});
  attempt(7).outcome = Outcome::kUnknown;
  expect({});
}

TEST_F(GroupJudgeTest, AMemberNeverPulled) {
  build();
  std::erase_if(history_.pulled, [](const Pulled& pulled) { return pulled.uid == "dan"; });
  expect({{Violation::kLost, 1}});
}

TEST_F(GroupJudgeTest, AMessageFromBeforeSomebodyJoined) {
  build();
  Row early = log_[2];
  early.seq = 1;
  of("dan").inbox.insert(of("dan").inbox.begin(), early);
  for (std::size_t i = 1; i < of("dan").inbox.size(); ++i) ++of("dan").inbox[i].seq;
  expect({{Violation::kMisrouted, 1}});
}

TEST_F(GroupJudgeTest, AMessageFromAfterSomebodyLeft) {
  build(true);
  of("cid").groups.push_back(log_[6]);
  expect({{Violation::kMisrouted, 1}});
}

TEST_F(GroupJudgeTest, WhoComesAgainGetsBothStays) {
  build();
  log_.push_back(row(8, "ann", GroupChange::kJoined, {"cid"}));
  history_.attempts.push_back(attempt(4));
  history_.attempts.back().client_msg_id = "g8";
  history_.attempts.back().msg_id = 108;
  history_.online.clear();
  for (auto& pulled : history_.pulled) {
    pulled.inbox.push_back(log_.back());
    pulled.inbox.back().seq = static_cast<std::int64_t>(pulled.inbox.size());
  }
  expect({});
  of("cid").inbox.insert(of("cid").inbox.end() - 1, log_[6]);  // between its stays
  of("cid").inbox[6].seq = 7;
  of("cid").inbox[7].seq = 8;
  expect({{Violation::kMisrouted, 1}});
}

TEST_F(GroupJudgeTest, WhoComesAgainToALargeGroupReadsBothStays) {
  build(/*large=*/true);
  history_.online.clear();
  for (const Row& one : {row(8, "ann", GroupChange::kJoined, {"cid"}), row(9, "ann")}) {
    history_.attempts.push_back(attempt(4));
    history_.attempts.back().client_msg_id = one.client_msg_id;
    history_.attempts.back().msg_id = one.msg_id;
    history_.attempts.back().content = one.content;
    history_.attempts.back().change = one.change != GroupChange::kNone;
    history_.attempts.back().invoked = one.group_seq * kSecond;
    history_.attempts.back().answered = one.group_seq * kSecond + 500;
    for (auto& pulled : history_.pulled) {
      if (pulled.uid != "cid" || one.group_seq == 9) pulled.groups.push_back(one);
      if (pulled.uid != "cid" || one.group_seq == 9) continue;
      pulled.inbox.push_back(one);
      pulled.inbox.back().seq = static_cast<std::int64_t>(pulled.inbox.size());
    }
  }
  expect({});
  drop(of("cid").groups, 5);  // unread when it went
  expect({{Violation::kLost, 1}});
}

TEST_F(GroupJudgeTest, DissolvedItEndsForAll) {
  build();
  history_.online.clear();
  const Row end = row(8, "ann", GroupChange::kDissolved);
  history_.attempts.push_back(attempt(4));
  history_.attempts.back().client_msg_id = "g8";
  history_.attempts.back().msg_id = 108;
  for (auto& pulled : history_.pulled) {
    if (pulled.uid == "cid") continue;
    pulled.inbox.push_back(end);
    pulled.inbox.back().seq = static_cast<std::int64_t>(pulled.inbox.size());
  }
  expect({});
  drop(of("dan").inbox, 8);
  expect({{Violation::kLost, 1}});
}

TEST_F(GroupJudgeTest, TwoMembersSeeDifferentMessagesAtOnePlace) {
  build();
  at(of("dan").inbox, 5).msg_id = 999;
  expect({{Violation::kForked, 1}});
}

TEST_F(GroupJudgeTest, AnotherOrder) {
  build();
  auto& inbox = of("dan").inbox;  // 4 5 6 7
  std::swap(inbox[1], inbox[3]);
  std::swap(inbox[1].seq, inbox[3].seq);
  expect({{Violation::kForked, 2}});
}

TEST_F(GroupJudgeTest, OneMessageAtTwoPlaces) {
  build();
  be_offline();
  for (auto& pulled : history_.pulled) {
    if (pulled.uid == "cid") continue;
    pulled.inbox.push_back(log_[6]);
    pulled.inbox.back().group_seq = 8;
    pulled.inbox.back().seq = static_cast<std::int64_t>(pulled.inbox.size());
  }
  expect({{Violation::kForked, 1}});
  // Stored again under another id.
  for (auto& pulled : history_.pulled) {
    if (pulled.uid != "cid") pulled.inbox.back().msg_id = 108;
  }
  expect({{Violation::kDuplicate, 1}});
}

TEST_F(GroupJudgeTest, BothWays) {
  build(true);
  Row again = log_[4];
  again.seq = 5;
  of("ann").inbox.push_back(again);
  expect({{Violation::kDuplicate, 1}});
}

TEST_F(GroupJudgeTest, AHoleInTheGroup) {
  build();
  be_offline();
  attempt(3).outcome = Outcome::kUnknown;
  for (auto& pulled : history_.pulled) drop(pulled.inbox, 3);
  expect({{Violation::kGap, 1}});
}

TEST_F(GroupJudgeTest, ChangedForAllOrForOne) {
  build();
  be_offline();
  at(of("cid").inbox, 3).content = digest_of("other");
  expect({{Violation::kChanged, 1}});
  for (auto& pulled : history_.pulled) {
    if (pulled.uid != "dan") at(pulled.inbox, 3).content = digest_of("other");
  }
  expect({{Violation::kChanged, 1}});
}

TEST_F(GroupJudgeTest, RefusedYetThere) {
  build();
  attempt(3).outcome = Outcome::kRefused;
  expect({{Violation::kGhost, 1}});
  attempt(3).outcome = Outcome::kUnknown;
  expect({});
  std::erase_if(history_.attempts, [](const Attempt& attempt) { return attempt.client_msg_id == "g3"; });
  expect({{Violation::kGhost, 1}});
}

TEST_F(GroupJudgeTest, InAnotherGroup) {
  build();
  attempt(3).group_id = kGroup + 1;
  expect({{Violation::kMisrouted, 1}, {Violation::kLost, 1}});
}

TEST_F(GroupJudgeTest, AResendWithAnotherId) {
  build();
  history_.attempts.push_back(attempt(3));
  history_.attempts.back().answered += kSecond;
  expect({});
  history_.attempts.back().msg_id = 999;
  expect({{Violation::kUnstableId, 1}});
}

TEST_F(GroupJudgeTest, AcknowledgedAsAnother) {
  build();
  attempt(3).msg_id = 999;
  expect({{Violation::kUnstableId, 1}});
}

TEST_F(GroupJudgeTest, SentAfterTheAnswerYetBefore) {
  build();
  attempt(2).invoked = attempt(3).answered + 1;
  attempt(2).answered = attempt(2).invoked + 1;
  expect({{Violation::kInversion, 1}});
}

TEST_F(GroupJudgeTest, WhatWasPushedIsNoLongerThere) {
  build(true);
  history_.pushes.back().row.msg_id = 999;
  expect({{Violation::kRegress, 1}});
  history_.pushes.back().row.msg_id = 107;
  history_.pushes.back().row.content = digest_of("other");
  expect({{Violation::kChanged, 1}});
  history_.pushes.back().row = log_[6];
  history_.pushes.back().uid = "cid";
  expect({{Violation::kMisrouted, 1}});
}

TEST_F(GroupJudgeTest, NeverPushed) {
  for (const bool large : {false, true}) {
    build(large);
    history_.heads.pop_back();
    expect({{Violation::kNeverPushed, 1}});
    build(large);
    history_.heads.back().at = history_.healed + kPushDeadline + 1;
    expect({{Violation::kNeverPushed, 1}});
  }
}

}  // namespace
}  // namespace hongyan::checker
