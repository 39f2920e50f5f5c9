#include "logic/store/mysql/batch/tail_cache.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

TEST(TailCacheTest, DropsTheLeastRecentlyUsed) {
  TailCache cache(2);
  for (const char* uid : {"a", "b", "c"}) cache.set(cache.get({"app", uid}, 1), 1, 2);
  static_cast<void>(cache.get({"app", "a"}, 1));
  cache.shrink();
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(cache.known(cache.get({"app", "a"}, 1)));
  EXPECT_TRUE(cache.known(cache.get({"app", "c"}, 1)));
  EXPECT_FALSE(cache.known(cache.get({"app", "b"}, 1)));
}

TEST(TailCacheTest, ForgetsOneOrAll) {
  TailCache cache(10);
  UserTails& a = cache.get({"app", "a"}, 1);
  UserTails& b = cache.get({"other", "a"}, 1);
  EXPECT_NE(&a, &b);
  cache.set(a, 1, 2);
  cache.set(b, 3, 4);
  cache.forget(a);
  EXPECT_FALSE(cache.known(a));
  EXPECT_TRUE(cache.known(b));
  cache.forget_all();
  EXPECT_FALSE(cache.known(b));
}

TEST(TailCacheTest, WhatWasKnownUnderAnotherLeaseIsForgotten) {
  TailCache cache(10);
  UserTails& a = cache.get({"app", "a"}, 1);
  cache.set(a, 1, 2);
  EXPECT_TRUE(cache.known(cache.get({"app", "a"}, 1)));
  EXPECT_FALSE(cache.known(cache.get({"app", "a"}, 2)));
  EXPECT_FALSE(cache.known(cache.get({"app", "a"}, 1)));
}

}  // namespace
}  // namespace hongyan::logic
