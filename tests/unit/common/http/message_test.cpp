#include "common/http/message.h"

#include <gtest/gtest.h>

namespace hongyan::http {
namespace {

TEST(MessageTest, DecodesPercentEscapes) {
  EXPECT_EQ(percent_decode("a%20b%2F%00c"), std::string("a b/\0c", 6));
  EXPECT_EQ(percent_decode("%e4%BD%a0"), "你");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  for (const char* broken : {"%", "%4", "a%", "%4g", "%zz", "%%41"})
    EXPECT_FALSE(percent_decode(broken)) << broken;
}

TEST(MessageTest, EncodesWhatDecodesBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a-z_0.~ /"), "a-z_0.~%20%2F");
}

TEST(MessageTest, ParsesQueries) {
  const auto fields = parse_query("a=1&b=x%26y&&c&d=&a=2&e=f=g");
  ASSERT_TRUE(fields);
  const Fields expected = {{"a", "1"}, {"b", "x&y"}, {"c", ""}, {"d", ""}, {"a", "2"}, {"e", "f=g"}};
  EXPECT_EQ(*fields, expected);
  EXPECT_FALSE(parse_query("a=%"));
  EXPECT_FALSE(parse_query("%x=1"));
}

TEST(MessageTest, FindsHeadersWhateverTheirCase) {
  Request request;
  request.headers = {{"Content-Type", "text/plain"}};
  EXPECT_EQ(request.header("content-type"), "text/plain");
  EXPECT_EQ(request.header("content"), std::nullopt);
}

TEST(MessageTest, WritesErrorsAsJson) {
  const auto response = error_response(Error{Code::kUnavailable, "no \"gate\" \xff", 1500});
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body,
            "{\"error\":{\"code\":\"UNAVAILABLE\",\"message\":\"no \\\"gate\\\" "
            "\xEF\xBF\xBD\",\"retry_after_ms\":1500}}");
  EXPECT_EQ(response.headers, (Fields{{"Retry-After", "2"}}));
}

}  // namespace
}  // namespace hongyan::http
