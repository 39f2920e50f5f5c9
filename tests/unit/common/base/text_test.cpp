#include "common/base/text.h"

#include <gtest/gtest.h>

#include <utility>

namespace hongyan {
namespace {

TEST(TextTest, KnowsUtf8) {
  for (const char* good : {"", "plain", "\u00e9\u4f60\U0001f600", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good));
  for (const char* bad :
       {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xbd"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(TextTest, WritesAndReadsBase64) {
  const std::vector<std::pair<std::string, std::string>> pairs = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {std::string("\0\xff\x10", 3), "AP8Q"},
                                                                  {"\xfb\xff", "+/8="}};
  for (const auto& [bytes, text] : pairs) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

TEST(TextTest, RefusesWhatIsNotBase64) {
  for (const char* bad :
       {"Z", "Zg", "Zg=", "Zg===", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm9-", "=m9v"}) {
    EXPECT_FALSE(base64_decode(bad)) << bad;
  }
}

TEST(TextTest, ReadsANumberThatIsTheWholeText) {
  EXPECT_EQ(parse_number<std::int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_number<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(parse_number<std::uint32_t>("0fA0", 16), 0xFA0U);
  for (const char* bad : {"", " 1", "1 ", "+1", "1x", "x", "0x10", "1.0", "-"})
    EXPECT_FALSE(parse_number<std::int64_t>(bad)) << bad;
  EXPECT_EQ(parse_number<double>("0.5"), 0.5);
  EXPECT_FALSE(parse_number<double>("0.5s"));
  EXPECT_FALSE(parse_number<std::uint16_t>("65536"));
  EXPECT_FALSE(parse_number<std::uint16_t>("-1"));
  EXPECT_FALSE(parse_number<std::int64_t>(std::string_view("1\0", 2)));
}

}  // namespace
}  // namespace hongyan
