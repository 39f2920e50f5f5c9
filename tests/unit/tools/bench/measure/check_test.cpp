#include "tools/bench/measure/check.h"

#include <gtest/gtest.h>

namespace hongyan::bench {
namespace {

class CheckTest : public testing::Test {
 protected:
  void send(int count) {
    for (int i = 0; i < count; ++i) check_.sent();
  }
  bool deliver(std::uint32_t number) { return check_.delivered(number, content_of(number)); }
  std::string content_of(std::uint32_t number) const {
    std::string content;
    content_.fill(content, number);
    return content;
  }

  const Content content_{300};
  Check check_{content_, /*delivery=*/true};
};

TEST_F(CheckTest, FindsNothingWhereNothingIsWrong) {
  send(3);
  for (std::uint32_t number = 0; number < 3; ++number) {
    EXPECT_TRUE(check_.acknowledged(number));
    EXPECT_TRUE(deliver(number));
  }
  EXPECT_TRUE(check_.faults().none());
  EXPECT_EQ(check_.count_acknowledged(), 3U);
  EXPECT_EQ(check_.count_delivered(), 3U);
}

TEST_F(CheckTest, SeesAPlantedLoss) {
  send(2);
  EXPECT_TRUE(check_.acknowledged(0));
  EXPECT_TRUE(check_.acknowledged(1));
  EXPECT_TRUE(deliver(1));
  EXPECT_EQ(check_.faults(), Faults{.lost = 1});
}

TEST_F(CheckTest, SeesWhatWasNeverAnswered) {
  send(1);
  EXPECT_TRUE(deliver(0));
  EXPECT_EQ(check_.faults(), Faults{.unanswered = 1});
}

TEST_F(CheckTest, SeesADuplicate) {
  send(1);
  EXPECT_TRUE(check_.acknowledged(0));
  EXPECT_FALSE(check_.acknowledged(0));
  EXPECT_TRUE(deliver(0));
  EXPECT_FALSE(deliver(0));
  EXPECT_EQ(check_.faults(), Faults{.duplicates = 1});
}

TEST_F(CheckTest, SeesEveryChangedByte) {
  send(1);
  EXPECT_TRUE(check_.acknowledged(0));
  const std::string good = content_of(0);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(check_.delivered(0, bad)) << i;
  }
  EXPECT_FALSE(check_.delivered(0, good.substr(1)));
  EXPECT_FALSE(check_.delivered(0, good + "x"));
  EXPECT_FALSE(check_.delivered(0, ""));
  EXPECT_TRUE(check_.delivered(0, good));
  EXPECT_EQ(check_.faults(), Faults{.changed = good.size() + 3});
}

TEST_F(CheckTest, SeesWhatNobodySent) {
  EXPECT_FALSE(deliver(0));
  EXPECT_FALSE(check_.acknowledged(0));
  EXPECT_EQ(check_.faults(), Faults{.changed = 1});
}

TEST_F(CheckTest, SeesAWrongOrder) {
  send(3);
  for (std::uint32_t number = 0; number < 3; ++number) EXPECT_TRUE(check_.acknowledged(number));
  EXPECT_TRUE(deliver(0));
  EXPECT_TRUE(deliver(2));
  EXPECT_TRUE(deliver(1));
  EXPECT_EQ(check_.faults(), Faults{.out_of_order = 1});
}

TEST_F(CheckTest, ARefusedMessageHasNoPlaceInTheOrder) {
  send(3);
  check_.refused(0);
  for (const std::uint32_t number : {1U, 0U, 2U}) {
    EXPECT_TRUE(check_.acknowledged(number));
    EXPECT_TRUE(deliver(number));
  }
  EXPECT_TRUE(check_.faults().none());
}

TEST(ContentTest, DiffersFromNumberToNumber) {
  const Content content(100);
  std::string first;
  std::string second;
  content.fill(first, 7);
  content.fill(second, 7 + 256);  // the same pattern, another number
  EXPECT_EQ(first.size(), 100U);
  EXPECT_NE(first, second);
  EXPECT_TRUE(content.same(first, 7));
  EXPECT_FALSE(content.same(first, 7 + 256));
  EXPECT_EQ(Content::number_of(second), 7U + 256);
  EXPECT_EQ(Content::number_of("abc"), 0U);
}

}  // namespace
}  // namespace hongyan::bench
