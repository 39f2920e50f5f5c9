#include "gate/session/intake.h"

#include <gtest/gtest.h>

#include <vector>

namespace hongyan::gate {
namespace {

std::string packet(std::uint32_t seq, std::string_view body = {}) {
  std::string out;
  net::append_packet(out, 200, 30, seq, body);
  return out;
}

class IntakeTest : public testing::Test {
 protected:
  // The seqs of the packets that can be taken now.
  std::vector<std::uint32_t> take(Intake& intake, std::string_view bytes, std::size_t body = 0) {
    std::vector<std::uint32_t> seqs;
    intake.feed(bytes, now);
    for (;;) {
      const auto next = intake.next();
      EXPECT_TRUE(next.has_value());
      if (!next || *next == nullptr) return seqs;
      seqs.push_back((*next)->header.seq);
      intake.request_began(body);
    }
  }

  SessionOptions options{.requests_per_second = 2};
  SteadyTime now{std::chrono::hours(1)};
};

TEST_F(IntakeTest, KeepsTheBeginningOfAPacket) {
  Intake intake(options, now);
  const std::string bytes = packet(1, "hello");
  EXPECT_TRUE(take(intake, bytes.substr(0, 22)).empty());
  EXPECT_FALSE(intake.holds());
  EXPECT_EQ(take(intake, bytes.substr(22)), std::vector<std::uint32_t>{1});
}

TEST_F(IntakeTest, HoldsWhatComesTooFastUntilItMayBeTaken) {
  Intake intake(options, now);
  // The balance may go below 0 by one request.
  EXPECT_EQ(take(intake, packet(1) + packet(2) + packet(3) + packet(4)), (std::vector<std::uint32_t>{1, 2}));
  EXPECT_TRUE(intake.holds());
  EXPECT_EQ(intake.pause(now), Intake::kShortestPause);
  now += Milliseconds(600);
  EXPECT_EQ(intake.pause(now), Milliseconds(0));
  EXPECT_EQ(take(intake, intake.take_held()).front(), 3U);
}

TEST_F(IntakeTest, APauseIsNeverLong) {
  options.requests_per_second = 0.5;
  Intake intake(options, now);
  EXPECT_EQ(take(intake, packet(1) + packet(2)), std::vector<std::uint32_t>{1});
  EXPECT_EQ(intake.pause(now), Intake::kLongestPause);
}

TEST_F(IntakeTest, CountsPacketsAndBytes) {
  options.packets_per_second = 2;
  Intake intake(options, now);
  intake.logged_in();
  intake.feed({}, now);
  EXPECT_TRUE(intake.within_rate(0));
  EXPECT_TRUE(intake.within_rate(0));
  EXPECT_FALSE(intake.within_rate(0));
  EXPECT_GT(intake.wait_ms(), 0U);

  options.packets_per_second = 1000;
  options.bytes_per_second = 100;
  Intake small(options, now);
  small.logged_in();
  EXPECT_TRUE(small.within_rate(1000));  // one large packet passes
  EXPECT_FALSE(small.within_rate(0));
}

TEST_F(IntakeTest, IsFullByNumberOrByBytes) {
  options.requests_per_second = 0;
  options.max_in_flight = 2;
  options.max_in_flight_bytes = 100;
  Intake intake(options, now);
  intake.request_began(10);
  EXPECT_FALSE(intake.full());
  intake.request_began(10);
  EXPECT_TRUE(intake.full());
  intake.request_done(10);
  EXPECT_FALSE(intake.full());
  intake.request_done(10);
  intake.request_began(100);
  EXPECT_TRUE(intake.full());
}

TEST_F(IntakeTest, ALateAnswerOfWhatIsNotWaitedForCountsNothing) {
  Intake intake(options, now);
  intake.request_began(10);
  intake.expect_no_answers();
  EXPECT_EQ(intake.in_flight(), 0U);
  intake.request_done(10);
  EXPECT_EQ(intake.in_flight(), 0U);
}

TEST_F(IntakeTest, ExcessIsTooMuchByNumberOrByTime) {
  options.packets_per_second = 2;
  options.rate_grace = Milliseconds(3000);
  Intake many(options, now);
  many.logged_in();
  for (int i = 0; i < 6; ++i) EXPECT_FALSE(many.excessive()) << i;
  EXPECT_TRUE(many.excessive());

  Intake lasting(options, now);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(lasting.excessive()) << i;
    now += Milliseconds(900);
    lasting.feed({}, now);
  }
  EXPECT_TRUE(lasting.excessive());
  now += Milliseconds(1000);  // a pause
  lasting.feed({}, now);
  EXPECT_FALSE(lasting.excessive());
}

TEST_F(IntakeTest, TakesFewPacketsUntilLoggedIn) {
  options.packets_per_second_before_login = 1;
  options.packets_per_second = 5;
  Intake intake(options, now);
  EXPECT_TRUE(intake.within_rate(0));
  EXPECT_FALSE(intake.within_rate(0));
  intake.logged_in();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(intake.within_rate(0));
  EXPECT_FALSE(intake.within_rate(0));
}

TEST_F(IntakeTest, WhatIsHeldBackComesInOrder) {
  options.requests_per_second = 0;
  Intake intake(options, now);
  const std::string bytes = packet(1) + packet(2, "two") + packet(3);
  intake.feed(std::string_view(bytes).substr(0, 30), now);
  ASSERT_EQ((*intake.next())->header.seq, 1U);
  intake.hold_back();
  EXPECT_EQ(*intake.next(), nullptr);
  EXPECT_EQ(intake.held_bytes(), 10U);
  EXPECT_TRUE(take(intake, std::string_view(bytes).substr(30)).empty());
  EXPECT_EQ(intake.held_bytes(), bytes.size() - 20);
  intake.release();
  EXPECT_EQ(take(intake, intake.take_held()), (std::vector<std::uint32_t>{2, 3}));
  EXPECT_FALSE(intake.holds());
}

TEST_F(IntakeTest, RefusesALargeBodyUntilItIsAllowed) {
  Intake intake(options, now);
  const std::size_t size = options.max_body_before_login + 1;
  const std::string bytes = packet(1, std::string(size, 'x'));
  Intake other(options, now);
  other.logged_in();
  EXPECT_EQ(take(other, bytes), std::vector<std::uint32_t>{1});
  intake.feed(bytes, now);
  EXPECT_EQ(intake.next().error(), net::PacketError::kBodyTooLarge);
}

}  // namespace
}  // namespace hongyan::gate
