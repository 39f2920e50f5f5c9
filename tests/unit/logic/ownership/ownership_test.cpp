#include "logic/ownership/ownership.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <set>

namespace hongyan::logic {
namespace {

using std::chrono::milliseconds;

// A shard with nodes that do what their plans say, and a clock.
class OwnershipTest : public ::testing::Test {
 protected:
  struct Node {
    std::unique_ptr<Ownership> judgement;
    NodeSeen row;
    bool up = true;
    bool frozen = false;
    bool leaving = false;
    std::optional<Leader> leader;  // absent: as all
    OwnershipPlan plan;
  };

  void add(NodeNumber number) {
    Node& node = nodes_[number];
    node.judgement = std::make_unique<Ownership>(Ownership::Options{
        .self = number, .shard = 0, .shard_sizes = {kSlots}, .expects_others = expects_others_});
    node.row = {.node = number, .boot = ++boots_, .epoch = node.row.epoch + 1, .beat = 0, .ready = true};
    node.up = true;
  }
  // One reading of each node, then what they plan.
  void step(milliseconds time = milliseconds(100)) {
    now_ += time;
    if (now_ >= next_beat_) {
      next_beat_ = now_ + milliseconds(1000);
      for (auto& [number, node] : nodes_)
        if (node.up && !node.frozen) ++node.row.beat;
    }
    ShardSeen seen;
    for (const auto& [number, node] : nodes_) seen.nodes.push_back(node.row);
    seen.leases.resize(kSlots);
    for (Slot slot = 0; slot < kSlots; ++slot) seen.leases[slot] = {.slot = slot, .owner = owner_[slot]};
    for (auto& [number, node] : nodes_) {
      if (!node.up || node.frozen) continue;
      node.plan = node.judgement->look(seen, node.leader.value_or(leader_), node.leaving, now_);
      carry_out(number, node.plan);
    }
  }
  void carry_out(NodeNumber number, const OwnershipPlan& plan) {
    for (const auto& dead : plan.evict) {
      NodeSeen& row = nodes_.at(dead.node).row;
      if (row.epoch != dead.epoch) continue;
      ++row.epoch;
      ++evictions_;
      for (auto& owner : owner_)
        if (owner == dead.node) owner = 0;
    }
    for (const Slot slot : plan.release) {
      ASSERT_EQ(owner_[slot], number);
      owner_[slot] = 0;
      ++moves_;
    }
    for (const Slot slot : plan.claim)
      if (owner_[slot] == 0) owner_[slot] = number;
  }
  void run(milliseconds time) {
    for (milliseconds done{0}; done < time; done += milliseconds(100)) step();
  }
  std::size_t of(NodeNumber node) const { return static_cast<std::size_t>(std::ranges::count(owner_, node)); }

  static constexpr std::size_t kSlots = 256;
  std::map<NodeNumber, Node> nodes_;
  std::array<NodeNumber, kSlots> owner_{};
  Leader leader_ = Leader::kNone;
  bool expects_others_ = false;
  std::size_t evictions_ = 0;
  std::size_t moves_ = 0;

 private:
  std::uint64_t boots_ = 0;
  SteadyTime now_{milliseconds(1'000'000)};
  SteadyTime next_beat_{};
};

TEST_F(OwnershipTest, TheFirstNodeTakesAllAtOnce) {
  add(1);
  step();
  EXPECT_EQ(of(1), kSlots);
  step();
  EXPECT_TRUE(nodes_[1].plan.settled);
}

TEST_F(OwnershipTest, ANodeThatComesGetsItsShareInBatches) {
  add(1);
  run(milliseconds(2000));
  add(2);
  run(milliseconds(4900));
  EXPECT_EQ(of(2), 0U) << "it has not beaten for long enough";
  step();
  step();
  EXPECT_EQ(moves_, 64U);
  run(milliseconds(2500));
  EXPECT_EQ(of(1), kSlots / 2);
  EXPECT_EQ(of(2), kSlots / 2);
  EXPECT_EQ(moves_, kSlots / 2) << "no slot moves twice";
  step();
  EXPECT_TRUE(nodes_[1].plan.settled);
}

TEST_F(OwnershipTest, NodesThatStartTogetherShareWithoutAMove) {
  expects_others_ = true;
  add(1);
  run(milliseconds(500));
  add(2);
  run(milliseconds(500));
  add(3);
  run(milliseconds(1900));
  EXPECT_EQ(of(0), kSlots) << "others may be about to come";
  run(milliseconds(2000));
  for (const NodeNumber number : {1, 2, 3}) EXPECT_NEAR(static_cast<double>(of(number)), 85, 1);
  EXPECT_EQ(moves_, 0U);
}

TEST_F(OwnershipTest, WhoExpectsOthersInVainTakesAll) {
  expects_others_ = true;
  add(1);
  run(milliseconds(3200));
  EXPECT_EQ(of(1), kSlots);
}

TEST_F(OwnershipTest, AKilledNodesSlotsAreServedWithinFourSeconds) {
  for (const NodeNumber number : {1, 2, 3}) add(number);
  run(milliseconds(15'000));
  for (const NodeNumber number : {1, 2, 3}) EXPECT_NEAR(static_cast<double>(of(number)), 85, 1);
  nodes_[2].up = false;
  run(milliseconds(1900));
  EXPECT_EQ(evictions_, 0U) << "too early: it may still be writing";
  run(milliseconds(2300));
  EXPECT_EQ(evictions_, 1U);
  EXPECT_EQ(of(2), 0U);
  EXPECT_EQ(of(0), 0U);
  EXPECT_EQ(of(1), kSlots / 2);
}

TEST_F(OwnershipTest, TwoOfThreeKilled) {
  for (const NodeNumber number : {1, 2, 3}) add(number);
  run(milliseconds(15'000));
  nodes_[1].up = nodes_[3].up = false;
  run(milliseconds(4500));
  EXPECT_EQ(of(2), kSlots);
}

TEST_F(OwnershipTest, ALeavingNodeGivesUpAllAndIsGivenNothing) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  nodes_[1].leaving = true;
  nodes_[1].row.ready = false;
  run(milliseconds(2000));
  EXPECT_EQ(of(1), 0U);
  EXPECT_EQ(of(2), kSlots);
  EXPECT_EQ(evictions_, 0U);
}

TEST_F(OwnershipTest, TheLastNodeThatLeavesFreesItsSlots) {
  add(1);
  run(milliseconds(2000));
  nodes_[1].leaving = true;
  run(milliseconds(2500));
  EXPECT_EQ(of(0), kSlots);
}

// A quick restart keeps the slots: they stand under its number.
TEST_F(OwnershipTest, ARestartMovesNothing) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  moves_ = 0;
  add(1);
  run(milliseconds(20'000));
  EXPECT_EQ(moves_, 0U);
  EXPECT_EQ(evictions_, 0U);
  EXPECT_EQ(of(1), kSlots / 2);
}

TEST_F(OwnershipTest, WhoWasFrozenTrustsNoSilence) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  nodes_[1].frozen = true;
  nodes_[2].frozen = true;
  step(milliseconds(60'000));
  nodes_[1].frozen = nodes_[2].frozen = false;
  run(milliseconds(5000));
  EXPECT_EQ(evictions_, 0U);
}

// A slow disk: each reading takes longer than an observer may stand still.
TEST_F(OwnershipTest, ADeadNodeIsFoundHoweverSlowTheServerIs) {
  for (const NodeNumber number : {1, 2}) add(number);
  for (int i = 0; i < 10; ++i) step(milliseconds(2500));
  nodes_[1].up = false;
  for (int i = 0; i < 4; ++i) step(milliseconds(2500));
  EXPECT_EQ(evictions_, 1U);
  EXPECT_EQ(of(2), kSlots);
}

TEST_F(OwnershipTest, AFrozenNodeIsEvictedAndComesBackSlowly) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  nodes_[1].frozen = true;
  run(milliseconds(10'000));
  EXPECT_EQ(of(2), kSlots);
  nodes_[1].frozen = false;
  run(milliseconds(25'000));
  EXPECT_EQ(of(1), 0U);
  run(milliseconds(10'000));
  EXPECT_EQ(of(1), kSlots / 2);
}

TEST_F(OwnershipTest, ANodeThatIsNotReadyGivesItsSlotsBack) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  nodes_[1].row.ready = false;
  run(milliseconds(2000));
  EXPECT_EQ(of(1), 0U);
  EXPECT_EQ(of(2), kSlots);
}

// Nobody is ready: better an owner that few reach than none.
TEST_F(OwnershipTest, WhenNobodyIsReadySlotsStay) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  nodes_[1].row.ready = nodes_[2].row.ready = false;
  run(milliseconds(5000));
  EXPECT_EQ(of(1), kSlots / 2);
  EXPECT_EQ(of(2), kSlots / 2);
}

class OneLeaderTest : public OwnershipTest {
 protected:
  OneLeaderTest() { leader_ = Leader::kChoose; }
};

TEST_F(OneLeaderTest, WhoHasTheSlotsKeepsThem) {
  for (const NodeNumber number : {2, 1, 3}) {
    add(number);
    run(milliseconds(8000));
  }
  EXPECT_EQ(of(2), kSlots);
  EXPECT_EQ(moves_, 0U);
  for (const auto& [number, node] : nodes_) EXPECT_TRUE(node.plan.settled) << number;
}

// As in all shards but the first: whose they are is not for this node to say, who is dead there is.
TEST_F(OneLeaderTest, WhoStandsByRestsAndStillFreesTheDeadsSlots) {
  add(1);
  run(milliseconds(2000));
  add(2);
  nodes_[2].leader = Leader::kOther;
  run(milliseconds(5000));
  EXPECT_TRUE(nodes_[2].plan.settled);
  nodes_[1].up = false;
  run(milliseconds(4500));
  EXPECT_EQ(evictions_, 1U);
  EXPECT_EQ(of(0), kSlots);
}

TEST_F(OneLeaderTest, AnotherTakesAllFromTheDead) {
  for (const NodeNumber number : {1, 2, 3}) add(number);
  run(milliseconds(15'000));
  EXPECT_EQ(of(1), kSlots);
  nodes_[1].up = false;
  run(milliseconds(4500));
  EXPECT_EQ(of(2), kSlots);
  EXPECT_EQ(evictions_, 1U);
}

// Two are started at once in an empty shard: one has it all.
TEST_F(OneLeaderTest, NeverTwoAtOnce) {
  for (const NodeNumber number : {1, 2}) add(number);
  for (int i = 0; i < 200; ++i) {
    step();
    EXPECT_TRUE(of(1) == 0 || of(2) == 0);
  }
  EXPECT_EQ(of(1) + of(2), kSlots);
}

TEST_F(OneLeaderTest, ALeavingLeaderIsFollowedByAnother) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  nodes_[1].leaving = true;
  nodes_[1].row.ready = false;
  run(milliseconds(2000));
  EXPECT_EQ(of(2), kSlots);
  EXPECT_EQ(evictions_, 0U);
}

TEST_F(OneLeaderTest, ALeaderThatNobodyReachesMakesWayForAnotherAtOnce) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  nodes_[1].row.ready = false;
  run(milliseconds(300));
  EXPECT_EQ(of(2), kSlots);
  nodes_[1].row.ready = true;
  run(milliseconds(40'000));
  EXPECT_EQ(of(2), kSlots) << "who has come back has to wait for its turn";
}

TEST_F(OneLeaderTest, WhenNobodyIsReadyTheLeaderStays) {
  for (const NodeNumber number : {1, 2}) add(number);
  run(milliseconds(15'000));
  nodes_[1].row.ready = nodes_[2].row.ready = false;
  run(milliseconds(5000));
  EXPECT_EQ(of(1), kSlots);
}

// As in all shards but the first, when another leads there by now.
TEST_F(OneLeaderTest, WhatAnotherIsToHaveIsGivenUpAtOnce) {
  add(1);
  run(milliseconds(2000));
  add(2);
  run(milliseconds(6000));
  nodes_[1].leader = Leader::kUnknown;
  run(milliseconds(1000));
  EXPECT_EQ(of(1), kSlots) << "nobody is to have it yet";
  nodes_[1].leader = Leader::kOther;
  nodes_[2].leader = Leader::kSelf;
  run(milliseconds(300));
  EXPECT_EQ(of(2), kSlots);
}

TEST_F(OneLeaderTest, WhoIsNotToLeadTakesNothing) {
  leader_ = Leader::kOther;
  add(1);
  run(milliseconds(10'000));
  EXPECT_EQ(of(1), 0U);
  EXPECT_TRUE(nodes_[1].plan.settled) << "it would read the shard ten times a second, for ever";
  leader_ = Leader::kSelf;
  step();
  EXPECT_EQ(of(1), kSlots);
}

// Whatever comes and goes: once all is quiet every slot has a living owner, the shares are equal, nothing moves.
TEST_F(OwnershipTest, SettlesAfterAnything) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::minstd_rand random(seed);
    nodes_.clear();
    owner_ = {};
    for (NodeNumber number = 1; number <= 4; ++number) add(number);
    for (int event = 0; event < 20; ++event) {
      Node& node = nodes_.at(1 + random() % 4);
      switch (random() % 4) {
        case 0:
          node.up = false;
          break;
        case 1:
          if (!node.up) add(node.row.node);
          break;
        case 2:
          node.frozen = !node.frozen;
          break;
        case 3:
          node.row.ready = !node.row.ready;
          break;
      }
      run(milliseconds(100 * (random() % 60)));
    }
    std::size_t serving = 0;
    nodes_.at(1).up = true;
    for (auto& [number, node] : nodes_) {
      node.frozen = false;
      node.row.ready = true;
      serving += node.up ? 1 : 0;
    }
    run(milliseconds(60'000));
    for (const auto& [number, node] : nodes_) {
      if (node.up) {
        EXPECT_NEAR(static_cast<double>(of(number)),
                    static_cast<double>(kSlots) / static_cast<double>(serving), 1)
            << seed;
        EXPECT_TRUE(node.plan.settled) << seed;
      } else {
        EXPECT_EQ(of(number), 0U) << seed;
      }
    }
    EXPECT_EQ(of(0), 0U) << seed;
  }
}

}  // namespace
}  // namespace hongyan::logic
