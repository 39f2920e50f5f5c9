#include "common/owners/owner_table.h"

#include <gtest/gtest.h>

namespace hongyan::owners {
namespace {

TEST(OwnerTableTest, HighestEpochWins) {
  OwnerTable table;
  EXPECT_EQ(table.unowned(), kSlotCount);
  EXPECT_EQ(table.announce(1, {.added = {{.first = 0, .last = 4095, .epoch = 5}}}).size(), kSlotCount);
  EXPECT_EQ(table.unowned(), 0U);
  const auto changed = table.announce(
      2, {.added = {{.first = 10, .last = 11, .epoch = 6}, {.first = 12, .last = 12, .epoch = 4}}});
  EXPECT_EQ(changed, (std::vector<Slot>{10, 11}));
  EXPECT_EQ(table.owner(10), (Owner{.node = 2, .epoch = 6}));
  EXPECT_EQ(table.owner(12), (Owner{.node = 1, .epoch = 5}));
}

TEST(OwnerTableTest, AnnouncementReplacesTheLastOne) {
  OwnerTable table;
  static_cast<void>(table.announce(1, {.added = {{.first = 0, .last = 9, .epoch = 5}}}));
  EXPECT_EQ(table.announce(1, {.added = {{.first = 0, .last = 8, .epoch = 5}}}), (std::vector<Slot>{9}));
  EXPECT_FALSE(table.owner(9).known());
  EXPECT_TRUE(table.announce(1, {.added = {{.first = 0, .last = 8, .epoch = 5}}}).empty());
}

TEST(OwnerTableTest, LostNodeLeavesItsSlotsToTheNextBest) {
  OwnerTable table;
  static_cast<void>(table.announce(1, {.added = {{.first = 0, .last = 1, .epoch = 5}}}));
  static_cast<void>(table.announce(2, {.added = {{.first = 1, .last = 1, .epoch = 4}}}));
  EXPECT_EQ(table.forget(1), (std::vector<Slot>{0, 1}));
  EXPECT_FALSE(table.owner(0).known());
  EXPECT_EQ(table.owner(1).node, 2U);
}

TEST(OwnerTableTest, NotOwnerForgetsOnlyWhatIsNotNewer) {
  OwnerTable table;
  static_cast<void>(table.announce(1, {.added = {{.first = 7, .last = 7, .epoch = 5}}}));
  EXPECT_FALSE(table.not_owner(7, 1, 4));  // the table has heard of a newer ownership
  EXPECT_TRUE(table.owner(7).known());
  EXPECT_TRUE(table.not_owner(7, 1, 5));
  EXPECT_FALSE(table.owner(7).known());

  static_cast<void>(table.announce(2, {.added = {{.first = 7, .last = 7, .epoch = 6}}}));
  EXPECT_FALSE(table.not_owner(7, 1, 6));  // node 1 has heard of node 2
  EXPECT_EQ(table.owner(7).node, 2U);
  EXPECT_TRUE(table.not_owner(7, 1, 7));  // node 1 has heard of somebody newer
  EXPECT_FALSE(table.owner(7).known());
}

TEST(OwnerTableTest, AChangeLeavesTheRestAsItWas) {
  OwnerTable table;
  static_cast<void>(table.announce(1, {.added = {{.first = 0, .last = 9, .epoch = 5}}}));
  const auto changed = table.announce(1, {.whole = false,
                                          .added = {{.first = 20, .last = 21, .epoch = 7}},
                                          .removed = {{.first = 3, .last = 4, .epoch = 5}}});
  EXPECT_EQ(changed, (std::vector<Slot>{3, 4, 20, 21}));
  EXPECT_FALSE(table.owner(3).known());
  EXPECT_EQ(table.owner(5), (Owner{.node = 1, .epoch = 5}));
  EXPECT_EQ(table.owner(20), (Owner{.node = 1, .epoch = 7}));
}

TEST(OwnerTableTest, WhatHasGoneAndComeBackHasItsNewEpoch) {
  OwnerTable table;
  static_cast<void>(table.announce(1, {.added = {{.first = 0, .last = 9, .epoch = 5}}}));
  EXPECT_EQ(table.announce(1, {.whole = false,
                               .added = {{.first = 3, .last = 3, .epoch = 8}},
                               .removed = {{.first = 3, .last = 3, .epoch = 5}}}),
            (std::vector<Slot>{3}));
  EXPECT_EQ(table.owner(3), (Owner{.node = 1, .epoch = 8}));
}

}  // namespace
}  // namespace hongyan::owners
