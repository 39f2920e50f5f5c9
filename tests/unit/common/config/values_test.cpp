#include "common/config/values.h"

#include <gtest/gtest.h>

namespace hongyan::config {
namespace {

TEST(ValuesTest, ParsesDurations) {
  EXPECT_EQ(parse_duration("250ms"), Milliseconds(250));
  EXPECT_EQ(parse_duration("30s"), Milliseconds(30'000));
  EXPECT_EQ(parse_duration("5m"), Milliseconds(300'000));
  EXPECT_EQ(parse_duration("1h"), Milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("2d"), Milliseconds(172'800'000));
  EXPECT_EQ(parse_duration("0s"), Milliseconds(0));
}

TEST(ValuesTest, RefusesBadDurations) {
  for (const char* text : {"", "s", "30", "30 s", "-1s", "1.5s", "10x", "30S", "99999999999999999999s",
                           "9223372036854775807d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(ValuesTest, ParsesSizes) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("64KiB"), 65'536U);
  EXPECT_EQ(parse_size("1MiB"), 1'048'576U);
  EXPECT_EQ(parse_size("2GiB"), 2'147'483'648U);
}

TEST(ValuesTest, RefusesBadSizes) {
  for (const char* text : {"", "KiB", "64KB", "64k", "-1", "1.5MiB", "99999999999GiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(ValuesTest, FormatsWhatParsesBack) {
  for (const std::int64_t ms : {0, 1, 999, 1000, 1500, 60'000, 90'000, 3'600'000, 86'400'000}) {
    EXPECT_EQ(parse_duration(format_duration(Milliseconds(ms))), Milliseconds(ms));
  }
  for (const std::uint64_t bytes : {0UL, 1UL, 1000UL, 1024UL, 65'536UL, 1'048'577UL, 1UL << 34}) {
    EXPECT_EQ(parse_size(format_size(bytes)), bytes);
  }
  EXPECT_EQ(format_duration(Milliseconds(90'000)), "90s");
  EXPECT_EQ(format_size(65'536), "64KiB");
}

}  // namespace
}  // namespace hongyan::config
