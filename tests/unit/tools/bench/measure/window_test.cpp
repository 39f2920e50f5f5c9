#include "tools/bench/measure/window.h"

#include <gtest/gtest.h>

namespace hongyan::bench {
namespace {

constexpr SteadyTime kStart{std::chrono::hours(1)};

SteadyTime at(int ms) { return kStart + Milliseconds(ms); }

class WindowTest : public testing::Test {
 protected:
  WindowTest() { shared_.phase = Phase::kMeasure; }
  Shared shared_;
};

TEST_F(WindowTest, ASlotIsFreeWhenAcknowledgedAndDelivered) {
  Window window({.size = 1, .delivery = true}, shared_);
  EXPECT_TRUE(window.begin(0, at(0)));
  EXPECT_FALSE(window.begin(1, at(0)));
  EXPECT_FALSE(window.acknowledged(0, at(5)));
  EXPECT_FALSE(window.begin(1, at(5)));
  EXPECT_FALSE(window.acknowledged(0, at(6)));
  EXPECT_TRUE(window.delivered(0, at(9)));
  EXPECT_TRUE(window.begin(1, at(9)));
  EXPECT_EQ(shared_.finished, 1U);
  EXPECT_EQ(window.ack_times().max(), 5'000'000U);
  EXPECT_EQ(window.delivery_times().max(), 9'000'000U);
}

TEST_F(WindowTest, ADeliveryMayComeFirst) {
  Window window({.size = 2, .delivery = true}, shared_);
  EXPECT_TRUE(window.begin(0, at(0)));
  EXPECT_FALSE(window.delivered(0, at(1)));
  EXPECT_TRUE(window.acknowledged(0, at(2)));
  EXPECT_FALSE(window.acknowledged(7, at(2)));
}

TEST_F(WindowTest, WithoutDeliveryTheAcknowledgementFrees) {
  Window window({.size = 1, .delivery = false}, shared_);
  EXPECT_TRUE(window.begin(0, at(0)));
  EXPECT_TRUE(window.acknowledged(0, at(1)));
  EXPECT_TRUE(window.idle());
}

TEST_F(WindowTest, AnOpenLoopCountsFromTheIntendedTime) {
  Window window({.size = 1, .delivery = false}, shared_);
  window.keep_to(Schedule(at(0), Milliseconds(10), 100));
  EXPECT_TRUE(window.begin(0, at(0)));
  EXPECT_TRUE(window.acknowledged(0, at(50)));  // a stall: five more are due
  EXPECT_TRUE(window.begin(1, at(50)));
  EXPECT_TRUE(window.acknowledged(1, at(51)));
  EXPECT_EQ(window.ack_times().count(), 2U);
  EXPECT_EQ(window.ack_times().max(), 50'000'000U);
  EXPECT_GE(window.ack_times().quantile(0), 41'000'000U);  // not 1 ms
}

TEST_F(WindowTest, TheDrainSendsWhatWasDueBeforeTheStop) {
  Window window({.size = 1, .delivery = false}, shared_);
  window.keep_to(Schedule(at(0), Milliseconds(10), 100));
  EXPECT_TRUE(window.begin(0, at(0)));
  shared_.stop_at = at(15);
  shared_.phase = Phase::kDrain;
  EXPECT_TRUE(window.acknowledged(0, at(40)));
  EXPECT_FALSE(window.idle());
  EXPECT_TRUE(window.begin(1, at(40)));
  EXPECT_TRUE(window.acknowledged(1, at(41)));
  EXPECT_FALSE(window.begin(2, at(41)));
  EXPECT_TRUE(window.idle());
  EXPECT_EQ(window.ack_times().count(), 2U);
}

TEST_F(WindowTest, AClosedLoopEndsWithTheMeasuredTime) {
  Window window({.size = 1, .delivery = false}, shared_);
  shared_.phase = Phase::kDrain;
  EXPECT_FALSE(window.begin(0, at(0)));
}

TEST_F(WindowTest, WhatBeganInTheWarmUpIsNotRecorded) {
  shared_.phase = Phase::kWarmUp;
  Window window({.size = 1, .delivery = false}, shared_);
  EXPECT_TRUE(window.begin(0, at(0)));
  shared_.phase = Phase::kMeasure;
  EXPECT_TRUE(window.acknowledged(0, at(1)));
  EXPECT_EQ(window.ack_times().count(), 0U);
}

}  // namespace
}  // namespace hongyan::bench
