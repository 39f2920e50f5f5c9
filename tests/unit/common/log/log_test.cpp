#include "common/log/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hongyan::log {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { set_level(Level::kInfo); }
};

TEST_F(LogTest, ParsesTheNamesThatItWrites) {
  for (const Level level :
       {Level::kTrace, Level::kDebug, Level::kInfo, Level::kWarn, Level::kError, Level::kOff}) {
    Level parsed{};
    EXPECT_TRUE(parse_level(to_string(level), parsed));
    EXPECT_EQ(parsed, level);
  }
  Level untouched = Level::kWarn;
  EXPECT_FALSE(parse_level("loud", untouched));
  EXPECT_FALSE(parse_level("INFO", untouched));
  EXPECT_EQ(untouched, Level::kWarn);
}

TEST_F(LogTest, QuotesWhatPeersChoose) {
  EXPECT_EQ(quoted("alice"), "\"alice\"");
  EXPECT_EQ(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quoted(std::string_view("a\nb\0c\x7f", 6)), "\"a\\x0ab\\x00c\\x7f\"");
  EXPECT_EQ(quoted("你好"), "\"你好\"");
  EXPECT_EQ(log::quoted(std::string(100, 'x')), "\"" + std::string(64, 'x') + "...\"");
}

TEST_F(LogTest, WritesFromTheLevelOn) {
  CaptureStderr();
  info("test", "seen n={}", 1);
  debug("test", "hidden n={}", 2);
  set_level(Level::kDebug);
  debug("test", "seen n={}", 3);
  set_level(Level::kOff);
  error("test", "hidden n={}", 4);
  const std::string out = GetCapturedStderr();
  EXPECT_THAT(out, HasSubstr("info [test] seen n=1\n"));
  EXPECT_THAT(out, HasSubstr("debug [test] seen n=3\n"));
  EXPECT_THAT(out, Not(HasSubstr("hidden")));
}

TEST_F(LogTest, WritesWhatIsQueuedAtShutdownAndGoesOnAfterIt) {
  CaptureStderr();
  init("test", Level::kInfo);
  for (int i = 0; i < 100; ++i) info("test", "line={}", i);
  shutdown();
  info("test", "after");
  const std::string out = GetCapturedStderr();
  EXPECT_THAT(out, HasSubstr("line=99\n"));
  EXPECT_THAT(out, HasSubstr("after\n"));
}

}  // namespace
}  // namespace hongyan::log
