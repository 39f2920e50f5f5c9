#include "common/protocol/ids.h"

#include <gtest/gtest.h>

#include <string>

namespace hongyan::protocol {
namespace {

TEST(IdsTest, AnyBytesButNulUpToTheLimit) {
  EXPECT_TRUE(is_id("alice", kMaxUid));
  EXPECT_TRUE(is_id("\xff \n", kMaxUid));
  EXPECT_TRUE(is_id(std::string(kMaxUid, 'u'), kMaxUid));
  EXPECT_FALSE(is_id(std::string(kMaxUid + 1, 'u'), kMaxUid));
  EXPECT_FALSE(is_id(std::string("a\0b", 3), kMaxUid));
  EXPECT_FALSE(is_id("", kMaxUid));
  EXPECT_TRUE(is_id_or_empty("", kMaxUid));
  EXPECT_FALSE(is_id_or_empty(std::string(1, '\0'), kMaxUid));
}

}  // namespace
}  // namespace hongyan::protocol
