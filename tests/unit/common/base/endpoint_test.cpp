#include "common/base/endpoint.h"

#include <gtest/gtest.h>

namespace hongyan {
namespace {

TEST(EndpointTest, ParsesEndpoints) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:7000"), (Endpoint{"127.0.0.1", 7000}));
  EXPECT_EQ(parse_endpoint(":7000"), (Endpoint{"0.0.0.0", 7000}));
  EXPECT_EQ(parse_endpoint("gate1.example.com:0"), (Endpoint{"gate1.example.com", 0}));
  EXPECT_EQ(parse_endpoint("[::1]:7000"), (Endpoint{"::1", 7000}));
}

TEST(EndpointTest, RefusesBadEndpoints) {
  for (const char* text : {"", "host", "host:", "host:70000", "host:-1", "::1:7000", "[::1:7000", "[]:1",
                           "a b:1", "http://host:80", "host:80x"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(EndpointTest, FormatsWhatParsesBack) {
  for (const char* text : {"127.0.0.1:7000", "[::1]:7000"}) {
    EXPECT_EQ(format_endpoint(*parse_endpoint(text)), text);
  }
  EXPECT_EQ(format_endpoint(Endpoint()), "");
}

}  // namespace
}  // namespace hongyan
