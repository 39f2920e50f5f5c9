#include "gate/session/due_wheel.h"

#include <gtest/gtest.h>

#include <random>

namespace hongyan::gate {
namespace {

struct Node : DueNode {
  int number = 0;
};

class DueWheelTest : public testing::Test {
 protected:
  // Who is due.
  std::vector<int> run(Milliseconds at, std::size_t most = 1'000'000) {
    std::vector<int> seen;
    wheel.run(begin + at, most, [&](DueNode& node) { seen.push_back(static_cast<Node&>(node).number); });
    return seen;
  }
  SteadyTime begin{std::chrono::hours(1)};
  DueWheel wheel{begin};
};

TEST_F(DueWheelTest, NobodyIsDueTooEarlyOrMuchTooLate) {
  std::mt19937 random(7);
  std::vector<Node> nodes(2000);
  std::vector<Milliseconds> due;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].number = static_cast<int>(i);
    due.emplace_back(random() % 400'000);
    wheel.set(nodes[i], begin + due.back());
  }
  std::size_t seen = 0;
  for (Milliseconds now{0}; now < Milliseconds(401'000); now += Milliseconds(37)) {
    for (const int number : run(now)) {
      ++seen;
      const auto wanted = due[static_cast<std::size_t>(number)];
      EXPECT_GE(now, wanted);
      EXPECT_LE(now, wanted + 2 * DueWheel::kStep + Milliseconds(37));
    }
  }
  EXPECT_EQ(seen, nodes.size());
}

TEST_F(DueWheelTest, ATimeIsReplacedAndTakenBack) {
  Node one{{}, 1};
  Node two{{}, 2};
  wheel.set(one, begin + Milliseconds(100));
  wheel.set(two, begin + Milliseconds(100));
  wheel.set(one, begin + Milliseconds(500));
  DueWheel::remove(two);
  DueWheel::remove(two);
  EXPECT_TRUE(run(Milliseconds(400)).empty());
  wheel.set_no_later(one, begin + Milliseconds(900));
  EXPECT_EQ(run(Milliseconds(600)), std::vector{1});
  wheel.set_no_later(one, begin + Milliseconds(900));
  wheel.set_no_later(one, begin + Milliseconds(700));
  EXPECT_EQ(run(Milliseconds(800)), std::vector{1});
  EXPECT_TRUE(run(Milliseconds(2000)).empty());
}

TEST_F(DueWheelTest, WhatIsSetWhileVisitedIsDueLater) {
  Node node{{}, 1};
  wheel.set(node, begin);
  int visits = 0;
  for (int i = 1; i <= 10; ++i) {
    wheel.run(begin + i * DueWheel::kStep, 100, [&](DueNode& due) {
      ++visits;
      wheel.set(due, begin);  // long past
    });
  }
  EXPECT_EQ(visits, 10);
  DueWheel::remove(node);
}

TEST_F(DueWheelTest, AVisitMayTakeOutOthers) {
  Node one{{}, 1};
  Node two{{}, 2};
  Node three{{}, 3};
  for (Node* node : {&one, &two, &three}) wheel.set(*node, begin);
  std::vector<int> seen;
  wheel.run(begin + Milliseconds(100), 10, [&](DueNode& node) {
    seen.push_back(static_cast<Node&>(node).number);
    DueWheel::remove(two);
  });
  EXPECT_EQ(seen, (std::vector{1, 3}));
}

TEST_F(DueWheelTest, ManyAreSpreadOverSeveralRuns) {
  std::vector<Node> nodes(25);
  for (Node& node : nodes) wheel.set(node, begin);
  EXPECT_EQ(run(Milliseconds(100), 10).size(), 10U);
  EXPECT_EQ(run(Milliseconds(150), 10).size(), 10U);
  EXPECT_EQ(run(Milliseconds(200), 10).size(), 5U);
}

TEST_F(DueWheelTest, BeyondTheTurnOneIsDueAtItsEnd) {
  Node node{{}, 1};
  wheel.set(node, begin + std::chrono::hours(24));
  wheel.set_no_later(node, SteadyTime::max());
  const Milliseconds turn = DueWheel::kStep * DueWheel::kSteps;
  EXPECT_TRUE(run(turn - 3 * DueWheel::kStep).empty());
  EXPECT_EQ(run(turn), std::vector{1});
}

TEST_F(DueWheelTest, AfterALongStandstillAllAreDueOnce) {
  std::vector<Node> nodes(100);
  for (std::size_t i = 0; i < nodes.size(); ++i) wheel.set(nodes[i], begin + std::chrono::seconds(i));
  EXPECT_EQ(run(std::chrono::hours(10)).size(), 100U);
  EXPECT_TRUE(run(std::chrono::hours(11)).empty());
  wheel.set(nodes[0], begin + std::chrono::hours(11) + Milliseconds(100));
  EXPECT_EQ(run(std::chrono::hours(11) + Milliseconds(200)).size(), 1U);
}

}  // namespace
}  // namespace hongyan::gate
