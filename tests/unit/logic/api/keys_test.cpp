#include "logic/api/keys.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

TEST(ApiKeysTest, HashesAsTheStandardSays) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ApiKeysTest, FindsTheAppOfAKey) {
  const ApiKeys keys(
      {{.app_id = "demo", .sha256 = sha256_hex("key-1")}, {.app_id = "shop", .sha256 = sha256_hex("key-2")}});
  EXPECT_EQ(keys.app_of("Bearer key-1").value(), "demo");
  EXPECT_EQ(keys.app_of("Bearer key-2").value(), "shop");
  for (const char* bad : {"", "key-1", "Bearer ", "Bearer key-3", "bearer key-1", "Basic key-1"}) {
    EXPECT_EQ(keys.app_of(bad).error().code, Code::kUnauthenticated) << bad;
  }
}

}  // namespace
}  // namespace hongyan::logic
