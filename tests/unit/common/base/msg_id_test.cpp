#include "common/base/msg_id.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace hongyan {
namespace {

constexpr std::int64_t kNow = kMsgIdEpochMs + 1'000'000;

TEST(MsgIdClockTest, KeepsTimeNodeAndCounter) {
  MsgIdClock clock(7, [] { return kNow; });
  const auto first = split_msg_id(clock.next());
  EXPECT_EQ(first.wall_ms, kNow);
  EXPECT_EQ(first.node, 7U);
  EXPECT_EQ(first.counter, 0U);
  EXPECT_EQ(split_msg_id(clock.next()).counter, 1U);
}

TEST(MsgIdClockTest, NeverGoesBackWhenTheWallClockDoes) {
  std::int64_t now = kNow;
  MsgIdClock clock(1, [&now] { return now; });
  const MsgId before = clock.next();
  now -= 3'600'000;
  const MsgId after = clock.next();
  EXPECT_GT(after, before);
  now = kNow + 5;
  EXPECT_EQ(split_msg_id(clock.next()).wall_ms, kNow + 5);
}

TEST(MsgIdClockTest, RunsAheadWhenACounterIsUsedUp) {
  MsgIdClock clock(1, [] { return kNow; });
  MsgId last = 0;
  for (int i = 0; i < 10'000; ++i) {
    const MsgId id = clock.next();
    ASSERT_GT(id, last);
    last = id;
  }
  EXPECT_EQ(split_msg_id(last).wall_ms, kNow + 2);
}

TEST(MsgIdClockTest, StartsPastTheLimitOfItsPredecessor) {
  MsgIdClock predecessor(3, [] { return kNow + 60'000; });
  const MsgId limit = predecessor.next();
  MsgIdClock clock(3, [] { return kNow; });
  clock.move_past(limit);
  EXPECT_GT(clock.next(), limit);
  MsgIdClock lower_node(0, [] { return kNow; });
  lower_node.move_past(limit);
  EXPECT_GT(lower_node.next(), limit);
}

TEST(MsgIdClockTest, FloorLiesBetweenPastAndFutureIds) {
  MsgIdClock clock(5, [] { return kNow; });
  const MsgId past = clock.next();
  const MsgId floor = clock.floor();
  EXPECT_GE(floor, past);
  EXPECT_GT(clock.next(), floor);
}

TEST(MsgIdClockTest, IsUniqueOverThreads) {
  MsgIdClock clock(2);
  std::vector<std::vector<MsgId>> taken(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : taken) {
      threads.emplace_back([&ids, &clock] {
        for (int i = 0; i < 20'000; ++i) ids.push_back(clock.next());
      });
    }
  }
  std::set<MsgId> all;
  for (const auto& ids : taken) all.insert(ids.begin(), ids.end());
  EXPECT_EQ(all.size(), 80'000U);
}

}  // namespace
}  // namespace hongyan
