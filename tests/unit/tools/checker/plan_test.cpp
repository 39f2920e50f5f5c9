#include "tools/checker/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hongyan::checker {
namespace {

TEST(PlanTest, ASeedRepeatsTheTraffic) {
  Traffic one(7, 50, 50, false);
  Traffic same(7, 50, 50, false);
  Traffic other(8, 50, 50, false);
  int different = 0;
  for (int i = 0; i < 100; ++i) {
    const auto a = one.next();
    const auto b = same.next();
    EXPECT_EQ(a.sender, b.sender);
    EXPECT_EQ(a.device, b.device);
    EXPECT_EQ(a.receiver, b.receiver);
    EXPECT_EQ(a.client_msg_id, b.client_msg_id);
    EXPECT_EQ(a.content, b.content);
    EXPECT_EQ(a.again, b.again);
    different += a.sender != other.next().sender ? 1 : 0;
  }
  EXPECT_GT(different, 50);
}

TEST(PlanTest, OnlyTheTargetsReceive) {
  Traffic traffic(1, 50, 10, false);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(traffic.next().receiver, 10U);
}

TEST(PlanTest, ContentsAreOfAllKinds) {
  bool empty = false;
  bool zero = false;
  bool high = false;
  bool emoji = false;
  std::size_t largest = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const auto content = content_of(1, i, false);
    empty = empty || content.empty();
    zero = zero || content.contains('\0');
    high = high || content.contains('\xff');
    emoji = emoji || content.contains("\xF0\x9F\xA6\xA2");
    largest = std::max(largest, content.size());
  }
  EXPECT_TRUE(empty && zero && high && emoji);
  EXPECT_GT(largest, 50'000U);
  EXPECT_LE(largest, 61'440U);
  EXPECT_EQ(content_of(1, 5, true).size(), 61'440U);
}

TEST(PlanTest, ASeedRepeatsTheStrikes) {
  const auto faults = parse_faults("all").value();
  Strikes one(3, faults, 0);
  Strikes same(3, faults, 0);
  std::set<Fault> seen;
  for (int i = 0; i < 200; ++i) {
    const auto a = one.next();
    const auto b = same.next();
    EXPECT_EQ(a.fault, b.fault);
    EXPECT_EQ(a.target, b.target);
    EXPECT_EQ(a.gap_ms, b.gap_ms);
    EXPECT_EQ(a.hold_ms, b.hold_ms);
    EXPECT_TRUE(strikes_servers(a.fault));
    seen.insert(a.fault);
  }
  EXPECT_EQ(seen.size(), 13U);
}

TEST(PlanTest, AStopLastsAsLongAsWanted) {
  Strikes strikes(3, {Fault::kStopLogic}, 30'000);
  EXPECT_EQ(strikes.next().hold_ms, 30'000);
  Strikes cuts(3, {Fault::kCutLink}, 20'000);
  EXPECT_EQ(cuts.next().hold_ms, 20'000);
}

TEST(PlanTest, NamesOfFaults) {
  EXPECT_EQ(parse_faults("kill-logic,kick-race").value(), (std::set{Fault::kKillLogic, Fault::kKickRace}));
  EXPECT_EQ(parse_faults("all")->size(), 18U);
  EXPECT_TRUE(parse_faults("none")->empty());
  EXPECT_FALSE(parse_faults("kill-logik"));
  EXPECT_FALSE(parse_faults(""));
  EXPECT_EQ(name_of(Fault::kNeverRead), "never-read");
  EXPECT_EQ(name_of(Fault::kReconnect), "reconnect");
}

}  // namespace
}  // namespace hongyan::checker
