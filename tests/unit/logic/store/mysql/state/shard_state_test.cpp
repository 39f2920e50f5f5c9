#include "logic/store/mysql/state/shard_state.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

class ShardStateTest : public ::testing::Test {
 protected:
  void acquire(std::uint64_t epoch) {
    state_.begun(epoch, 5);
    state_.claimed(std::array{AcquiredSlot{.slot = 1, .epoch = 10}, AcquiredSlot{.slot = 2, .epoch = 20}});
    state_.beat_written(now_, 1, 0);
  }

  SteadyTime now_ = SteadyClock::now();
  ShardState state_;
};

TEST_F(ShardStateTest, OwnsNothingBeforeItIsAcquired) {
  EXPECT_FALSE(state_.serving(now_));
  EXPECT_FALSE(state_.tenure()->owns(1));
  acquire(3);
  EXPECT_TRUE(state_.serving(now_));
  const TenurePtr tenure = state_.tenure();
  EXPECT_EQ(tenure->epoch, 3U);
  EXPECT_EQ(tenure->barrier, 5U);
  EXPECT_EQ(tenure->slot_epoch(2), 20U);
  EXPECT_FALSE(tenure->owns(3));
}

TEST_F(ShardStateTest, ALateReportOfAFenceStopsNothing) {
  acquire(3);
  acquire(4);
  state_.fence_lost(3);
  EXPECT_TRUE(state_.serving(now_));
  EXPECT_FALSE(state_.take_fence_loss());
  state_.fence_lost(4);
  EXPECT_FALSE(state_.serving(now_));
  EXPECT_TRUE(state_.take_fence_loss());
}

TEST_F(ShardStateTest, WhatIsReadGivesTheBarrierAndTakesLeases) {
  acquire(3);
  const TenurePtr before = state_.tenure();
  Tenure read;
  read.epoch = 3;
  read.barrier = 6;
  read.slot_epochs[2] = 20;
  read.slot_epochs[7] = 70;  // ours in the database, and not held: only the keeper may begin to
  state_.merge(before, read);
  EXPECT_EQ(state_.tenure()->barrier, 6U);
  EXPECT_FALSE(state_.tenure()->owns(1));
  EXPECT_TRUE(state_.tenure()->owns(2));
  EXPECT_FALSE(state_.tenure()->owns(7));
}

TEST_F(ShardStateTest, AnAnswerIsNotMergedIntoAYoungerTenure) {
  acquire(3);
  const TenurePtr before = state_.tenure();
  Tenure read;
  read.epoch = 3;
  read.barrier = 6;
  acquire(4);
  state_.merge(before, read);
  EXPECT_EQ(state_.tenure()->epoch, 4U);
  EXPECT_EQ(state_.tenure()->barrier, 5U);
  EXPECT_TRUE(state_.tenure()->owns(1));
}

TEST_F(ShardStateTest, WhatIsClaimedComesToWhatIsHeld) {
  acquire(3);
  state_.claimed(std::array{AcquiredSlot{.slot = 9, .epoch = 90}});
  EXPECT_TRUE(state_.tenure()->owns(1));
  EXPECT_EQ(state_.tenure()->slot_epoch(9), 90U);
  EXPECT_EQ(state_.tenure()->barrier, 5U);
}

TEST_F(ShardStateTest, WhoGivesUpHoldsNothingUnderTheSameEpoch) {
  acquire(3);
  EXPECT_EQ(state_.give_up(), (std::vector<Slot>{1, 2}));
  EXPECT_FALSE(state_.tenure()->owns(1));
  EXPECT_EQ(state_.tenure()->epoch, 3U);
}

}  // namespace
}  // namespace hongyan::logic
