#include "logic/store/slot_ranges.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

TEST(SlotRangesTest, ReadsRangesAndWritesTheShortestText) {
  const auto slots = parse_slots("5,0-3,4,100-101");
  ASSERT_TRUE(slots);
  EXPECT_EQ(slots->size(), 8U);
  EXPECT_EQ(format_slots(*slots), "0-5,100-101");
  EXPECT_EQ(format_slots(*parse_slots("4095")), "4095");
  EXPECT_EQ(parse_slots("0-4095")->size(), kSlotCount);
}

TEST(SlotRangesTest, RefusesWhatIsNoList) {
  for (const char* text :
       {"", "a", "1-", "-1", "3-2", "0-4096", "1,,2", "1,1", "0-5,5-6", "1 ", "1-2-3", "1,"}) {
    const auto slots = parse_slots(text);
    ASSERT_FALSE(slots) << text;
    EXPECT_EQ(slots.error().code, Code::kBadRequest);
  }
}

}  // namespace
}  // namespace hongyan::logic
