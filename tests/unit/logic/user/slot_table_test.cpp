#include "logic/user/slot_table.h"

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

TEST(SlotTableTest, MarksThatCouldNotBeWrittenAreDueAgain) {
  SlotTable slots;
  SlotState& state = slots.acquire({.slot = 7, .epoch = 3, .mark = 5}, 0);
  state.unfinished.issued(state.unfinished.begin(10), 20);
  state.unfinished.finished(20, 5);
  slots.touch(7);
  EXPECT_TRUE(slots.take_marks(1).empty());
  auto marks = slots.take_marks(0);
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_EQ(marks[0].mark, 20);
  EXPECT_EQ(marks[0].epoch, 3U);
  EXPECT_TRUE(slots.take_marks(0).empty());
  slots.marks_written(marks, false);
  EXPECT_EQ(slots.take_marks(0).size(), 1U);
  slots.marks_written(marks, true);
  EXPECT_TRUE(slots.take_marks(0).empty());
}

}  // namespace
}  // namespace hongyan::logic
