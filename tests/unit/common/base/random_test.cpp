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

TEST(RandomTest, FractionsLieBetweenZeroAndOne) {
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const double fraction = random_fraction();
    ASSERT_GE(fraction, 0);
    ASSERT_LT(fraction, 1);
    sum += fraction;
  }
  EXPECT_NEAR(sum / 1000, 0.5, 0.1);
}

}  // namespace
}  // namespace hongyan
