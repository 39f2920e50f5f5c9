#include "logic/store/mysql/tail_cache.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

TEST(TailCacheTest, DropsTheLeastRecentlyUsed) {
  TailCache cache(2);
  for (const char* uid : {"a", "b", "c"}) cache.set(cache.get({"app", uid}), 1, 2);
  static_cast<void>(cache.get({"app", "a"}));
  cache.shrink();
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(cache.known(cache.get({"app", "a"})));
  EXPECT_TRUE(cache.known(cache.get({"app", "c"})));
  EXPECT_FALSE(cache.known(cache.get({"app", "b"})));
}

TEST(TailCacheTest, ForgetsOneOrAll) {
  TailCache cache(10);
  UserTails& a = cache.get({"app", "a"});
  UserTails& b = cache.get({"other", "a"});
  EXPECT_NE(&a, &b);
  cache.set(a, 1, 2);
  cache.set(b, 3, 4);
  cache.forget(a);
  EXPECT_FALSE(cache.known(a));
  EXPECT_TRUE(cache.known(b));
  cache.forget_all();
  EXPECT_FALSE(cache.known(b));
}

}  // namespace
}  // namespace hongyan::logic
