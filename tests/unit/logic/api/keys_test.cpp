#include "logic/api/keys.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

TEST(ApiKeysTest, HashesAsTheStandardSays) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ApiKeysTest, FindsTheAppAndTheRightsOfAKey) {
  const ApiKeys keys(
      {{.app_id = "demo", .sha256 = sha256_hex("key-1"), .rights = {Right::kTokens}},
       {.app_id = "shop", .sha256 = sha256_hex("key-2"), .rights = {Right::kKick, Right::kPresence}}});
  const ApiKey& first = keys.at(keys.find("Bearer key-1").value());
  EXPECT_EQ(first.app_id, "demo");
  EXPECT_TRUE(first.may(Right::kTokens));
  EXPECT_FALSE(first.may(Right::kMessages));
  const ApiKey& second = keys.at(keys.find("Bearer key-2").value());
  EXPECT_EQ(second.app_id, "shop");
  EXPECT_TRUE(second.may(Right::kPresence));
  for (const char* bad :
       {"", "key-1", "Bearer ", "Bearer key-3", "bearer key-1", "Basic key-1", "Bearer key-1 "}) {
    EXPECT_EQ(keys.find(bad).error().code, Code::kUnauthenticated) << bad;
  }
}

TEST(RightTest, NamesAreReadAsTheyAreWritten) {
  for (const Right right : kRights) EXPECT_EQ(parse_right(right_name(right)).value(), right);
  EXPECT_FALSE(parse_right("everything"));
}

}  // namespace
}  // namespace hongyan::logic
