#include <gtest/gtest.h>

#include "common/http/client.h"

namespace hongyan::http {
namespace {

TEST(UrlTest, SplitsUrls) {
  const auto url = parse_url("http://127.0.0.1:7200/v1/gates?uid=a#x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->endpoint, (Endpoint{"127.0.0.1", 7200}));
  EXPECT_EQ(url->target, "/v1/gates?uid=a");
  EXPECT_EQ(parse_url("http://host")->endpoint, (Endpoint{"host", 80}));
  EXPECT_EQ(parse_url("http://host")->target, "/");
  EXPECT_EQ(parse_url("http://host?a=1")->target, "/?a=1");
  EXPECT_EQ(parse_url("http://[::1]:8/x")->endpoint, (Endpoint{"::1", 8}));
  EXPECT_EQ(parse_url("http://[::1]/x")->endpoint, (Endpoint{"::1", 80}));
}

TEST(UrlTest, RefusesWhatItCannotAsk) {
  for (const char* text : {"", "host", "https://host/", "http://", "http://:80/", "http://h:x/", "http://h:/",
                           "http://[::1", "http://h:70000/", "http://h/a b", "http://h/a\r\nX: y"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

}  // namespace
}  // namespace hongyan::http
