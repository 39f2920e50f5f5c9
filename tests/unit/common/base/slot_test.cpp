#include "common/base/slot.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hongyan {
namespace {

// Data is placed by these numbers: a failure here is a bug in the hash, never in the vectors.
TEST(SlotTest, PlacesTheTestVectors) {
  struct Vector {
    std::string app_id, id;
    Slot slot;
  };
  const std::vector<Vector> vectors = {
      {"demo", "alice", 243},
      {"demo", "bob", 251},
      {"default", "", 1367},
      {"a", "bc", 1951},
      {"ab", "c", 2893},
      {"demo", std::string("a\0b", 3), 402},
      {"demo", std::string(300, 'x'), 841},
      {"demo", "1234567890123", 2785},
  };
  for (const auto& v : vectors) EXPECT_EQ(slot_of(v.app_id, v.id), v.slot) << v.app_id << "/" << v.id;
}

TEST(SlotTest, SpreadsUsersEvenly) {
  std::vector<int> count(4);
  for (int i = 0; i < 40'000; ++i) ++count[slot_of("demo", "user-" + std::to_string(i)) / 1024];
  for (const int n : count) EXPECT_NEAR(n, 10'000, 500);
}

}  // namespace
}  // namespace hongyan
