#include "common/http/framing.h"

#include <gtest/gtest.h>

namespace hongyan::http {
namespace {

const std::pair<std::string, std::string> kHost{"Host", "h"};

bool takes(Fields fields, unsigned version = 11) {
  fields.push_back(kHost);
  return check_framing(fields, version).has_value();
}

TEST(FramingTest, TakesWhatCanBeReadInOneWayOnly) {
  EXPECT_TRUE(takes({}));
  EXPECT_TRUE(takes({{"Content-Length", "0"}}));
  EXPECT_TRUE(takes({{"content-length", "14"}, {"authorization", "Bearer x"}}));
  EXPECT_TRUE(takes({{"Transfer-Encoding", "Chunked"}}));
  EXPECT_TRUE(check_framing({}, 10));
}

TEST(FramingTest, RefusesTransferEncodingsOtherThanChunked) {
  for (const char* value : {"identity", "chunked, identity", "identity, chunked", "chunked, chunked",
                            "xchunked", "chunked;q=1", "gzip, chunked", "", "\tchunkedx"}) {
    EXPECT_FALSE(takes({{"Transfer-Encoding", value}})) << value;
  }
  EXPECT_FALSE(takes({{"Transfer-Encoding", "chunked"}, {"transfer-encoding", "chunked"}}));
  EXPECT_FALSE(takes({{"Transfer-Encoding", "chunked"}, {"Content-Length", "3"}}));
  EXPECT_FALSE(takes({{"Transfer-Encoding", "chunked"}}, 10));
}

TEST(FramingTest, RefusesLengthsThatAreNotOneNumber) {
  for (const char* value : {"14, 14", "14,14", "-1", "+1", "0x10", "1 4", "", "14a"}) {
    EXPECT_FALSE(takes({{"Content-Length", value}})) << value;
  }
  EXPECT_FALSE(takes({{"Content-Length", "14"}, {"Content-Length", "14"}}));
}

TEST(FramingTest, RefusesASecondHostOrAuthorization) {
  EXPECT_FALSE(takes({kHost}));
  EXPECT_FALSE(check_framing({}, 11));
  EXPECT_FALSE(takes({{"Authorization", "Bearer a"}, {"AUTHORIZATION", "Bearer b"}}));
}

}  // namespace
}  // namespace hongyan::http
