#include "tools/bench/actors/http_caller.h"

#include <gtest/gtest.h>

namespace hongyan::bench {
namespace {

const std::string response_text =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello";

TEST(HttpResponseTest, IsTakenWhenItIsWhole) {
  for (std::size_t bytes = 0; bytes < response_text.size(); ++bytes) {
    const auto response = parse_response(response_text.substr(0, bytes));
    ASSERT_TRUE(response);
    EXPECT_FALSE(*response) << bytes;
  }
  const auto response = parse_response(response_text + "HTTP/1.1 ");
  ASSERT_TRUE(response && *response);
  EXPECT_EQ((*response)->status, 200);
  EXPECT_EQ((*response)->body, "hello");
  EXPECT_EQ((*response)->bytes, response_text.size());
}

TEST(HttpResponseTest, HeaderNamesIgnoreCase) {
  const auto response = parse_response("HTTP/1.1 503 No\r\nCONTENT-LENGTH:0\r\n\r\n");
  ASSERT_TRUE(response && *response);
  EXPECT_EQ((*response)->status, 503);
  EXPECT_EQ((*response)->body, "");
}

TEST(HttpResponseTest, RefusesWhatItDoesNotUnderstand) {
  for (const std::string& bad :
       {std::string("SMTP\r\n\r\n"), std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        std::string("HTTP/1.1 abc\r\nContent-Length: 1\r\n\r\nx"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), std::string(20'000, 'x')}) {
    EXPECT_FALSE(parse_response(bad)) << bad.substr(0, 60);
  }
}

}  // namespace
}  // namespace hongyan::bench
