// Lanes and Delivery with nothing but a wire between them that loses, keeps back and repeats.
#include "logic/message/lane.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "logic/message/delivery.h"
#include "tests/unit/logic/user/bare_context.h"

namespace hongyan::logic {
namespace {

constexpr Slot kSource = 7;
constexpr Milliseconds kLongest{1001};  // of a back-off

class LaneTest : public ::testing::Test, private LanePort, private Steps {
 protected:
  LaneTest() {
    here_.acquire(kSource);
    there_.acquire(slot_of("demo", "bob"));
  }

  void add(MsgId id) {
    Message message;
    message.id = id;
    message.from = "alice";
    message.to = "bob";
    message.content = share("number " + std::to_string(id));
    message.command = client::COMMAND_C2C_SEND;
    here_.context.slots.find(kSource)->unfinished.add(id);
    lanes_.add(kSource, deliver("demo", std::move(message)));
    lanes_.send_ready();
  }
  // As if the link had gone: the source gets its works back, and may have the batch at the destination, too.
  void lose(const LaneBatch& batch) {
    LaneResult lost{.id = batch.id, .fate = BatchFate::kLost, .works = {}};
    for (const auto& work : batch.works) lost.works.push_back(copy(*work));
    lanes_.result(std::move(lost));
  }
  void try_again() {
    here_.now += kLongest;
    lanes_.tick();
  }
  void commit() {
    for (auto& work : there_.shard.commit()) std::move(work).come_back();
  }
  LaneBatch next_batch() {
    EXPECT_FALSE(batches_.empty());
    LaneBatch batch = std::move(batches_.front());
    batches_.pop_front();
    return batch;
  }
  LaneResult next_result() {
    EXPECT_FALSE(results_.empty());
    LaneResult result = std::move(results_.front());
    results_.pop_front();
    return result;
  }
  static DeliverWorkPtr copy(const DeliverWork& work) {
    auto other = deliver(work.user.app_id, work.message);
    other->lane_index = work.lane_index;
    other->outcome = work.outcome;
    return other;
  }
  static LaneBatch copy(const LaneBatch& batch) {
    LaneBatch other{.id = batch.id, .source = {}, .works = {}};
    for (const auto& work : batch.works) other.works.push_back(copy(*work));
    return other;
  }
  // What the destination has in its inbox.
  std::vector<MsgId> inbox() {
    std::vector<MsgId> ids;
    for (const auto& row : there_.shard.inbox[{"demo", "bob"}]) ids.push_back(row.id);
    return ids;
  }
  MsgId mark() { return here_.context.slots.find(kSource)->unfinished.mark(); }

  void send_batch(LaneBatch batch) override { batches_.push_back(std::move(batch)); }
  void send_result(const Origin&, LaneResult result) override { results_.push_back(std::move(result)); }
  void command_accepted(AcceptWork&) override {}
  void accepted(AcceptWork&) override {}
  void came_for_group(DeliverWorkPtr) override {}
  void session_opened(User&) override {}
  void delivered(const DeliverWork&) override {}
  void fanned_out(MsgId) override {}
  void group_acked(User&, DeviceClass, std::int64_t, std::int64_t) override {}

  BareContext here_;
  BareContext there_;
  std::deque<LaneBatch> batches_;
  std::deque<LaneResult> results_;
  Lanes lanes_{here_.context, *this, *this};
  Delivery delivery_{there_.context, *this, *this};
};
using Ids = std::vector<MsgId>;

TEST_F(LaneTest, ABatchIsNamedByTheTenureOfItsSourceAndANumber) {
  add(1);
  const auto first = next_batch();
  EXPECT_EQ(first.id.lane, (LaneKey{.source = kSource, .destination = slot_of("demo", "bob")}));
  EXPECT_EQ(first.id.source_epoch, 1U);
  delivery_.take(copy(first));
  commit();
  lanes_.result(next_result());
  EXPECT_EQ(lanes_.size(), 0U);
  add(2);
  EXPECT_GT(next_batch().id.number, first.id.number);  // though the lane is another one
}

TEST_F(LaneTest, TheResultOfABatchThatWasGivenUpFinishesNothing) {
  add(1);
  auto first = next_batch();
  lose(first);
  add(2);
  try_again();
  auto second = next_batch();
  ASSERT_EQ(second.works.size(), 2U);
  // Of the first one: what it says of its places is not of these entries.
  for (const auto& work : first.works) work->outcome = StoreWork::Outcome::kStored;
  lanes_.result({.id = first.id, .fate = BatchFate::kTried, .works = std::move(first.works)});
  EXPECT_EQ(lanes_.size(), 1U);
  EXPECT_EQ(mark(), 0U);
  delivery_.take(std::move(second));
  commit();
  lanes_.result(next_result());
  EXPECT_EQ(lanes_.size(), 0U);
  EXPECT_EQ(mark(), 2U);
  EXPECT_EQ(inbox(), (Ids{1, 2}));
}

TEST_F(LaneTest, AResultOfAFormerTenureFinishesNothing) {
  add(1);
  auto batch = next_batch();
  BatchId former = batch.id;
  former.source_epoch = 0;
  for (const auto& work : batch.works) work->outcome = StoreWork::Outcome::kStored;
  lanes_.result({.id = former, .fate = BatchFate::kTried, .works = std::move(batch.works)});
  EXPECT_EQ(lanes_.size(), 1U);
}

TEST_F(LaneTest, AResultThatComesTwiceFinishesOnce) {
  add(1);
  auto batch = next_batch();
  for (const auto& work : batch.works) work->outcome = StoreWork::Outcome::kStored;
  std::vector<DeliverWorkPtr> again;
  for (const auto& work : batch.works) again.push_back(copy(*work));
  add(2);
  lanes_.result({.id = batch.id, .fate = BatchFate::kTried, .works = std::move(batch.works)});
  EXPECT_EQ(mark(), 1U);
  lanes_.result({.id = batch.id, .fate = BatchFate::kTried, .works = std::move(again)});
  EXPECT_EQ(mark(), 1U);
  EXPECT_EQ(lanes_.size(), 1U);
}

TEST_F(LaneTest, WhatWasLostIsLookedUpAndWhatWasRefusedIsNot) {
  add(1);
  auto first = next_batch();
  lanes_.result({.id = first.id, .fate = BatchFate::kRefused, .works = std::move(first.works)});
  try_again();
  auto second = next_batch();
  EXPECT_FALSE(second.works.front()->lookup_first);
  lanes_.result({.id = second.id, .fate = BatchFate::kLost, .works = std::move(second.works)});
  try_again();
  auto third = next_batch();
  EXPECT_TRUE(third.works.front()->lookup_first);
  // A refusal later on does not make it certain again.
  lanes_.result({.id = third.id, .fate = BatchFate::kRefused, .works = std::move(third.works)});
  try_again();
  EXPECT_TRUE(next_batch().works.front()->lookup_first);
}

TEST_F(LaneTest, TheSecondBatchOfALaneWaitsUntilTheFirstIsThrough) {
  add(1);
  const auto first = next_batch();
  delivery_.take(copy(first));
  lose(first);
  add(2);
  try_again();
  auto second = next_batch();
  delivery_.take(std::move(second));
  EXPECT_EQ(there_.shard.queue.size(), 1U);  // of the first
  commit();
  EXPECT_EQ(next_result().id, first.id);
  EXPECT_EQ(there_.shard.queue.size(), 2U);
  commit();
  lanes_.result(next_result());
  EXPECT_EQ(inbox(), (Ids{1, 2}));
  EXPECT_EQ(lanes_.size(), 0U);
}

// With both at the writers, the copies of refused rows do not hold back what follows them.
TEST_F(LaneTest, WhatIsSentAgainDoesNotOvertakeWhatTheFirstBatchHasYetToTry) {
  add(1);
  const auto first = next_batch();
  delivery_.take(copy(first));
  lose(first);
  add(2);
  try_again();
  delivery_.take(next_batch());
  there_.shard.refuse = true;
  commit();  // the first batch
  there_.shard.refuse = false;
  EXPECT_EQ(inbox(), Ids{});
  commit();
  EXPECT_EQ(inbox(), (Ids{1, 2}));
}

TEST_F(LaneTest, TheThirdBatchTakesThePlaceOfTheSecond) {
  add(1);
  const auto first = next_batch();
  delivery_.take(copy(first));
  lose(first);
  try_again();
  const auto second = next_batch();
  delivery_.take(copy(second));
  lose(second);
  add(2);
  try_again();
  const auto third = next_batch();
  delivery_.take(copy(third));
  const auto replaced = next_result();
  EXPECT_EQ(replaced.id, second.id);
  EXPECT_EQ(replaced.fate, BatchFate::kRefused);
  commit();
  EXPECT_EQ(next_result().id, first.id);
  commit();
  EXPECT_EQ(next_result().id, third.id);
  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(inbox(), (Ids{1, 2}));
}

TEST_F(LaneTest, AFormerOwnerOfTheSourceIsRefused) {
  add(1);
  const auto former = next_batch();
  auto present = copy(former);
  present.id.source_epoch = 2;
  present.id.number = 1;
  delivery_.take(std::move(present));
  delivery_.take(copy(former));
  const auto refused = next_result();
  EXPECT_EQ(refused.id, former.id);
  EXPECT_EQ(refused.fate, BatchFate::kRefused);
  commit();
  EXPECT_EQ(inbox(), Ids{1});
}

TEST_F(LaneTest, ADestinationThatIsNotServedTriesNothing) {
  const Slot elsewhere = 9;
  auto batch =
      LaneBatch{.id = {.lane = {.source = kSource, .destination = elsewhere}, .source_epoch = 1, .number = 1},
                .source = {},
                .works = {}};
  batch.works.push_back(deliver("demo", {.id = 1, .from = "alice", .to = "bob", .content = share("hi")}));
  delivery_.take(std::move(batch));
  const auto refused = next_result();
  EXPECT_EQ(refused.fate, BatchFate::kRefused);
  EXPECT_EQ(refused.works.size(), 1U);
  EXPECT_TRUE(there_.shard.queue.empty());
}

}  // namespace
}  // namespace hongyan::logic
