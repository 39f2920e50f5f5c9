// Rows on their own: what repeats another, what is read of them, which numbers they get.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "logic/store/mysql/batch/batch_duplicates.h"
#include "logic/store/mysql/batch/batch_numbers.h"
#include "logic/store/mysql/batch/batch_reads.h"

namespace hongyan::logic {
namespace {

using State = BatchRow::State;
using Unread = BatchRow::Unread;
using Outcome = StoreWork::Outcome;

constexpr MsgId kNoLimit = std::numeric_limits<MsgId>::max();

class BatchRowsTest : public ::testing::Test {
 protected:
  BatchRowsTest() { rows_.reserve(100); }

  template <typename Work>
  Work& add(const std::string& uid, const std::function<void(Work&)>& prepare) {
    auto work = std::make_unique<Work>();
    work->user = {"app", uid};
    prepare(*work);
    UserTails& user = tails_.get(work->user, 1);
    return *rows_.emplace_back(std::move(work), user, now_).work.template as<Work>();
  }
  OutboxWork& add_outbox(const std::string& uid, const std::string& id) {
    return add<OutboxWork>(uid, [&](OutboxWork& work) { work.message.client_msg_id = id; });
  }
  InboxWork& add_inbox(const std::string& uid, MsgId id) {
    return add<InboxWork>(uid, [&](InboxWork& work) { work.message.id = id; });
  }

  const SteadyTime now_ = SteadyTime() + std::chrono::hours(1);
  TailCache tails_{100};
  MsgIdClock clock_{1};
  std::vector<BatchRow> rows_;
  BatchDuplicates duplicates_;
  BatchReads reads_{tails_};
  BatchNumbers numbers_{clock_};
};

TEST_F(BatchRowsTest, ARepeatIsOneOfTheSameUserAndKind) {
  add_outbox("a", "5");
  add_outbox("b", "5");
  add_inbox("a", 5);
  add_outbox("a", "5");
  add_inbox("a", 5);
  add_inbox("a", 6);
  duplicates_.find(rows_);
  EXPECT_EQ(rows_[3].state, State::kDuplicate);
  EXPECT_EQ(rows_[3].first, 0U);
  EXPECT_EQ(rows_[4].state, State::kDuplicate);
  EXPECT_EQ(rows_[4].first, 2U);
  for (const std::size_t i : {0, 1, 2, 5}) EXPECT_EQ(rows_[i].state, State::kOpen) << i;
}

TEST_F(BatchRowsTest, WhatWasRefusedIsNobodysFirst) {
  add_inbox("a", 5);
  rows_[0].refuse({Code::kUnavailable, "late"});
  add_inbox("a", 5);
  duplicates_.find(rows_);
  EXPECT_EQ(rows_[1].state, State::kOpen);
}

TEST_F(BatchRowsTest, ARepeatTakesTheResultOfTheFirst) {
  OutboxWork& first = add_outbox("a", "x");
  const OutboxWork& repeat = add_outbox("a", "x");
  InboxWork& refused = add_inbox("a", 5);
  const InboxWork& its_repeat = add_inbox("a", 5);
  duplicates_.find(rows_);
  first.message.id = 77;
  first.message.to = "bob";
  first.seq = 3;
  rows_[0].finish(Outcome::kStored);
  rows_[2].refuse({Code::kUnavailable, "no"});
  BatchDuplicates::finish(rows_);
  EXPECT_EQ(repeat.outcome, Outcome::kExists);
  EXPECT_EQ(repeat.message.id, 77);
  EXPECT_EQ(repeat.seq, 3);
  EXPECT_EQ(repeat.stored_for.to, "bob");
  EXPECT_EQ(refused.outcome, Outcome::kRefused);
  EXPECT_EQ(its_repeat.outcome, Outcome::kRefused);
  EXPECT_EQ(its_repeat.error.message, "no");
}

TEST_F(BatchRowsTest, TailsAreAskedForOnceAUser) {
  add_inbox("a", 1);
  add_inbox("a", 2);
  add_outbox("b", "x");
  ASSERT_TRUE(reads_.need_tails(rows_));
  ASSERT_EQ(reads_.unknown_users().size(), 2U);
  EXPECT_EQ(reads_.unknown_users()[0]->uid, "a");
  EXPECT_EQ(reads_.unknown_users()[1]->uid, "b");
  reads_.set_tails(0, 1, 2);
  EXPECT_TRUE(reads_.need_tails(rows_));
  reads_.set_tails(0, 3, 4);
  EXPECT_FALSE(reads_.need_tails(rows_));
  EXPECT_EQ(rows_[0].user->inbox, 1);
  EXPECT_EQ(rows_[2].user->outbox, 4);
}

TEST_F(BatchRowsTest, WhatIsFoundIsStoredByThisWorkOnlyIfItMayHaveStoredIt) {
  InboxWork& others = add_inbox("a", 1);
  InboxWork& mine = add_inbox("b", 2);
  InboxWork& elsewhere = add_inbox("c", 3);
  InboxWork& absent = add_inbox("d", 4);
  for (InboxWork* work : {&others, &mine, &elsewhere, &absent}) work->seq = 7;
  rows_[0].unread = Unread::kYes;
  for (const std::size_t i : {1, 2, 3}) rows_[i].unread = Unread::kPerhaps;
  ASSERT_TRUE(reads_.need_lookup(rows_));
  reads_.found_inbox(0, 7);
  reads_.found_inbox(1, 7);
  reads_.found_inbox(2, 8);
  reads_.looked_up();
  EXPECT_EQ(others.outcome, Outcome::kExists);
  EXPECT_EQ(mine.outcome, Outcome::kStored);
  EXPECT_EQ(elsewhere.outcome, Outcome::kExists);
  EXPECT_EQ(elsewhere.seq, 8);
  EXPECT_TRUE(rows_[3].open());
  EXPECT_FALSE(reads_.need_lookup(rows_));
}

TEST_F(BatchRowsTest, NumbersFollowTheTailsAndGoByKey) {
  add_inbox("b", 1);
  add_inbox("a", 2);
  add_inbox("b", 3);
  ASSERT_TRUE(reads_.need_tails(rows_));
  reads_.set_tails(0, 10, 0);
  reads_.set_tails(1, 20, 0);
  numbers_.give(rows_, kNoLimit);
  ASSERT_EQ(numbers_.inbox().size(), 3U);
  std::vector<MsgId> ids;
  for (const InboxWork* work : numbers_.inbox()) ids.push_back(work->message.id);
  EXPECT_EQ(ids, (std::vector<MsgId>{2, 1, 3}));
  EXPECT_EQ(rows_[0].inbox->seq, 11);
  EXPECT_EQ(rows_[1].inbox->seq, 21);
  EXPECT_EQ(rows_[2].inbox->seq, 12);
}

TEST_F(BatchRowsTest, ARefusedRowTakesNoNumber) {
  const auto chain = std::make_shared<bool>(true);
  add<InboxWork>("a", [&](InboxWork& work) { work.chain_broken = chain; });
  add_inbox("a", 2);
  add<OutboxWork>("a", [](OutboxWork& work) { work.unless_stored = Error{Code::kPermissionDenied, "no"}; });
  add_outbox("a", "x");
  ASSERT_TRUE(reads_.need_tails(rows_));
  reads_.set_tails(0, 10, 20);
  numbers_.give(rows_, kNoLimit);
  EXPECT_EQ(rows_[0].work->outcome, Outcome::kRefused);
  EXPECT_EQ(rows_[1].inbox->seq, 11);
  EXPECT_EQ(rows_[2].work->error.code, Code::kPermissionDenied);
  EXPECT_EQ(rows_[3].outbox->seq, 21);
}

}  // namespace
}  // namespace hongyan::logic
