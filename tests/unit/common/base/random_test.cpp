#include "common/base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace hongyan {
namespace {

TEST(RandomTest, TextsAre32HexadecimalDigitsAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string text = random_id_text();
    EXPECT_EQ(text.size(), 32U);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(text).second);
  }
}

}  // namespace
}  // namespace hongyan
