#include "logic/store/mysql/batch/batch_attempts.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

using Next = BatchAttempts::Next;

// How many times it is tried again before it comes to `end`.
int tries_before(Next end, DbFault fault, BatchAttempts attempts = {}) {
  for (int tries = 0; tries < 100; ++tries) {
    const Next next = attempts.after(fault);
    if (next == end) return tries;
    EXPECT_EQ(next, Next::kAgain);
  }
  return -1;
}

TEST(BatchAttemptsTest, WhatMayPassIsTriedAFewTimes) {
  EXPECT_EQ(tries_before(Next::kAlone, DbFault::kLost), 3);
  EXPECT_EQ(tries_before(Next::kAlone, DbFault::kDuplicate), 4);
  EXPECT_EQ(tries_before(Next::kGiveUp, DbFault::kConflict), 5);
}

TEST(BatchAttemptsTest, WhatDoesNotPassIsNotTriedAgain) {
  EXPECT_EQ(tries_before(Next::kAlone, DbFault::kPermanent), 0);
  EXPECT_EQ(tries_before(Next::kAlone, DbFault::kOther), 0);
  EXPECT_EQ(tries_before(Next::kGiveUp, DbFault::kUnable), 0);
  EXPECT_EQ(tries_before(Next::kGiveUp, DbFault::kDoubtful), 0);
}

TEST(BatchAttemptsTest, OtherRowsHaveTriesOfTheirOwn) {
  BatchAttempts attempts;
  EXPECT_EQ(attempts.after(DbFault::kLost), Next::kAgain);
  EXPECT_EQ(tries_before(Next::kAlone, DbFault::kLost, attempts), 2);
  attempts.other_rows();
  EXPECT_EQ(tries_before(Next::kAlone, DbFault::kLost, attempts), 3);
}

TEST(BatchAttemptsTest, PausesFromTheSecondFailureOnAndNotForOtherRows) {
  BatchAttempts attempts;
  EXPECT_FALSE(attempts.wants_pause(DbFault::kDuplicate));
  EXPECT_FALSE(attempts.wants_pause(DbFault::kLost));
  EXPECT_FALSE(attempts.wants_pause(DbFault::kOther));
  EXPECT_TRUE(attempts.wants_pause(DbFault::kConflict));
  attempts.other_rows();
  EXPECT_TRUE(attempts.wants_pause(DbFault::kLost));
}

TEST(BatchAttemptsTest, TheThirdRowThatFailsAloneSpeaksForAll) {
  BatchAttempts attempts;
  EXPECT_FALSE(attempts.is_of_all(DbFault::kOther));
  EXPECT_FALSE(attempts.is_of_all(DbFault::kLost));
  // Of the row itself: says nothing of the others.
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(attempts.is_of_all(DbFault::kPermanent));
  EXPECT_FALSE(attempts.is_of_all(DbFault::kDuplicate));
  EXPECT_TRUE(attempts.is_of_all(DbFault::kOther));
}

}  // namespace
}  // namespace hongyan::logic
