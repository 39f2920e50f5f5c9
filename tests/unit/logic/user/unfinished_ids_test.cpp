#include "logic/user/unfinished_ids.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

TEST(UnfinishedIdsTest, MarkIsTheHighestIdWhenAllIsFinished) {
  UnfinishedIds ids;
  EXPECT_EQ(ids.mark(), 0);
  ids.issued(ids.begin(10), 20);
  ids.issued(ids.begin(20), 30);
  EXPECT_EQ(ids.mark(), 19);
  ids.finished(20, 5);
  EXPECT_EQ(ids.mark(), 29);
  ids.finished(30, 5);
  EXPECT_EQ(ids.mark(), 30);
}

TEST(UnfinishedIdsTest, WhatIsNotIssuedYetHoldsTheMark) {
  UnfinishedIds ids;
  ids.issued(ids.begin(10), 20);
  const auto ticket = ids.begin(20);
  ids.finished(20, 5);
  EXPECT_EQ(ids.mark(), 20);
  const auto later = ids.begin(25);
  ids.issued(later, 40);
  ids.finished(40, 5);
  EXPECT_EQ(ids.mark(), 20);
  ids.absent(ticket);
  EXPECT_EQ(ids.mark(), 40);
}

// The floor of a new message is the id issued last: finishing that id must leave the floor alone.
TEST(UnfinishedIdsTest, AFloorThatEqualsAnIdIsItsOwn) {
  UnfinishedIds ids;
  ids.issued(ids.begin(10), 20);
  const auto ticket = ids.begin(20);
  ids.finished(20, 5);
  ids.issued(ticket, 30);
  EXPECT_EQ(ids.mark(), 29);
  EXPECT_TRUE(ids.contains(30));
}

TEST(UnfinishedIdsTest, PendingIdsDoNotHoldTheMark) {
  UnfinishedIds ids;
  ids.issued(ids.begin(10), 20);
  ids.issued(ids.begin(20), 30);
  ids.moved_to_pending(20, 5);
  EXPECT_TRUE(ids.is_pending(20, 5));
  EXPECT_TRUE(ids.contains(20));
  EXPECT_EQ(ids.mark(), 29);
  ids.finished(20, 5);
  EXPECT_FALSE(ids.contains(20));
}

// A group's message has a row for each member; two of them may have one destination.
TEST(UnfinishedIdsTest, AnIdIsFinishedAsOftenAsItWasAdded) {
  UnfinishedIds ids;
  ids.add(20, 3);
  EXPECT_FALSE(ids.finished(20, 5));
  ids.moved_to_pending(20, 6);
  ids.moved_to_pending(20, 6);
  EXPECT_EQ(ids.mark(), 20);
  EXPECT_FALSE(ids.finished(20, 6));
  EXPECT_TRUE(ids.is_pending(20, 6));
  ids.back_from_pending(20, 6);
  EXPECT_EQ(ids.mark(), 19);
  EXPECT_TRUE(ids.finished(20, 6));
  EXPECT_FALSE(ids.contains(20));
}

}  // namespace
}  // namespace hongyan::logic
