#include <gtest/gtest.h>

#include "tools/support/cluster_env.h"
#include "tools/support/text.h"

namespace hongyan::tools {
namespace {

TEST(TextTest, KeepsPlainText) {
  const std::string text = "hello, \u4f60\u597d \U0001F600";
  EXPECT_EQ(printable(text), text);
}

TEST(TextTest, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\nb\tc\\"), "a\\nb\\tc\\\\");
  EXPECT_EQ(printable("\x1b[31m\r\x7f"), "\\x1b[31m\\x0d\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\u009b"), "\\u{009b}");
  EXPECT_EQ(printable("\u202e"), "\\u{202e}");
}

TEST(TextTest, EscapesWhatIsNotUtf8) {
  for (const char* bad :
       {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xbd"}) {
    EXPECT_TRUE(printable(bad).starts_with("\\x"));
  }
}

TEST(SettingsTest, Reads) {
  const auto settings = parse_settings("# comment\n\nA=1\nB=\"two words\"\nC=x=y\nD=\n");
  ASSERT_TRUE(settings);
  EXPECT_EQ(setting(*settings, "A"), "1");
  EXPECT_EQ(words(setting(*settings, "B")), (std::vector<std::string>{"two", "words"}));
  EXPECT_EQ(setting(*settings, "C"), "x=y");
  EXPECT_EQ(setting(*settings, "D"), "");
  EXPECT_EQ(setting(*settings, "E"), "");
}

TEST(SettingsTest, NamesTheBadLine) {
  const auto settings = parse_settings("A=1\nnonsense\n");
  ASSERT_FALSE(settings);
  EXPECT_TRUE(settings.error().message.starts_with(":2:"));
  EXPECT_FALSE(read_settings("/nonexistent/env"));
}

}  // namespace
}  // namespace hongyan::tools
