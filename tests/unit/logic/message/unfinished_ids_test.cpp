#include <gtest/gtest.h>

#include "logic/message/slot_table.h"

namespace hongyan::logic {
namespace {

TEST(UnfinishedIdsTest, HoldsTheMarkBelowWhatIsUnfinished) {
  UnfinishedIds ids;
  const auto ticket = ids.begin(10);
  EXPECT_LT(ids.mark(), 11);
  ids.issued(ticket, 12);
  EXPECT_EQ(ids.mark(), 11);
  ids.finished(12);
  EXPECT_EQ(ids.mark(), 12);
  EXPECT_EQ(ids.size(), 0U);
}

// The floor of the second is the id that the first was just given, and the first is told so later.
TEST(UnfinishedIdsTest, KeepsATicketWhoseFloorIsAnotherId) {
  UnfinishedIds ids;
  const auto first = ids.begin(10);
  const auto second = ids.begin(12);
  ids.issued(first, 12);
  EXPECT_TRUE(ids.contains(12));
  ids.finished(12);
  EXPECT_FALSE(ids.contains(12));
  EXPECT_LT(ids.mark(), 13);
  ids.issued(second, 13);
  EXPECT_EQ(ids.mark(), 12);
  ids.finished(13);
  EXPECT_EQ(ids.mark(), 13);
}

TEST(UnfinishedIdsTest, KeepsATicketWhenAnotherIdGoesToPending) {
  UnfinishedIds ids;
  const auto first = ids.begin(10);
  const auto second = ids.begin(12);
  ids.issued(first, 12);
  ids.moved_to_pending(12);
  EXPECT_TRUE(ids.is_pending(12));
  ids.absent(second);
  EXPECT_EQ(ids.mark(), 12);
}

}  // namespace
}  // namespace hongyan::logic
