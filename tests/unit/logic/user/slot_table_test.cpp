#include "logic/user/slot_table.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

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
