#include "tools/checker/promptness.h"

#include <gtest/gtest.h>

namespace hongyan::checker {
namespace {

constexpr Micros kSecond = 1'000'000;

class PromptnessTest : public ::testing::Test {
 protected:
  // An attempt of a user on a gate with that port; wait 0: no answer.
  Attempt& attempt(Micros invoked, Micros wait, std::uint16_t port = 1) {
    history_.attempts.push_back({.invoked = invoked,
                                 .outcome = wait > 0 ? Outcome::kOk : Outcome::kUnknown,
                                 .answered = wait > 0 ? invoked + wait : 0,
                                 .port = port});
    return history_.attempts.back();
  }
  [[nodiscard]] Promptness look() const {
    return promptness(history_, history_.attempts, [](const Struck& strike, const Attempt& attempt) {
      return strike.server == "gate-" + std::to_string(attempt.port);
    });
  }

  History history_ = {.calm_since = 1 * kSecond, .faults_since = 10 * kSecond, .ended = 100 * kSecond};
};

TEST_F(PromptnessTest, NothingHappened) {
  const Promptness nothing = look();
  EXPECT_EQ(nothing.calm.count, 0U);
  EXPECT_EQ(nothing.calm.p99, 0);
  EXPECT_EQ(nothing.silent, 0U);
}

TEST_F(PromptnessTest, CalmIsBeforeTheFaults) {
  attempt(0, 900'000);  // before the traffic that counts
  for (int i = 1; i <= 101; ++i) attempt(2 * kSecond, i);
  attempt(10 * kSecond, 900'000);
  const AnswerTimes calm = look().calm;
  EXPECT_EQ(calm.count, 101U);
  EXPECT_EQ(calm.p50, 51);
  EXPECT_EQ(calm.p99, 100);
}

TEST_F(PromptnessTest, WhoIsServedByWhatWasStruckIsNoBystander) {
  history_.strikes = {
      {.server = "gate-1", .begun = 20 * kSecond, .repairing = 30 * kSecond, .repaired = 31 * kSecond},
      {.server = "gate-2", .begun = 28 * kSecond, .repairing = 40 * kSecond, .repaired = 41 * kSecond}};
  attempt(19 * kSecond, 1);
  attempt(21 * kSecond, 10, 1);
  attempt(21 * kSecond, 20, 2);
  attempt(29 * kSecond, 30, 1);  // struck by the first, bystander of the second
  attempt(39 * kSecond, 40, 1);
  attempt(40'500'000, 1);
  const Promptness figures = look();
  EXPECT_EQ(figures.concerned.count, 2U);
  EXPECT_EQ(figures.concerned.p50, 10);
  EXPECT_EQ(figures.bystanders.count, 2U);
  EXPECT_EQ(figures.bystanders.p50, 20);
}

TEST_F(PromptnessTest, WhoCameJustBackIsNoBystander) {
  history_.strikes = {
      {.server = "gate-1", .begun = 20 * kSecond, .repairing = 30 * kSecond, .repaired = 31 * kSecond}};
  attempt(22 * kSecond, 10, 2).online_since = 5 * kSecond;
  attempt(22 * kSecond, 90, 2).online_since = 22 * kSecond - kJustBack + 1;
  attempt(22 * kSecond, 10, 2).online_since = 22 * kSecond - kJustBack;
  const Promptness figures = look();
  EXPECT_EQ(figures.concerned.count, 0U);
  EXPECT_EQ(figures.bystanders.count, 2U);
  EXPECT_EQ(figures.bystanders.p99, 10);
}

TEST_F(PromptnessTest, WhoCatchesUpIsNoBystander) {
  history_.strikes = {
      {.server = "gate-1", .begun = 20 * kSecond, .repairing = 30 * kSecond, .repaired = 31 * kSecond},
      {.server = "gate-2", .begun = 32 * kSecond, .repairing = 50 * kSecond, .repaired = 50 * kSecond}};
  attempt(31 * kSecond + kCatchUp, 90, 1);
  attempt(31 * kSecond + kCatchUp, 10, 1).online_since = 32 * kSecond;  // came after the repair
  attempt(32 * kSecond + kCatchUp, 10, 1);
  const Promptness figures = look();
  EXPECT_EQ(figures.bystanders.count, 2U);
  EXPECT_EQ(figures.bystanders.p50, 10);
}

TEST_F(PromptnessTest, SilenceIsNoAnswerWhileTheConnectionLives) {
  attempt(20 * kSecond, 0).hung_up = 24 * kSecond;
  attempt(20 * kSecond, 4'900'000);
  EXPECT_EQ(look().silent, 0U);
  EXPECT_EQ(look().slowest_answer, 4'900'000);
  attempt(20 * kSecond, 0).hung_up = 26 * kSecond;
  EXPECT_EQ(look().silent, 1U);
  attempt(20 * kSecond, 5'100'000).outcome = Outcome::kRefused;
  EXPECT_EQ(look().silent, 2U);
  attempt(94 * kSecond, 0);
  EXPECT_EQ(look().silent, 3U);
}

TEST_F(PromptnessTest, ResumptionIsTheFirstAcknowledgementAfterTheRepair) {
  history_.strikes = {
      {.server = "gate-1", .begun = 20 * kSecond, .repairing = 29 * kSecond, .repaired = 30 * kSecond},
      {.server = "gate-1", .begun = 50 * kSecond, .repairing = 60 * kSecond, .repaired = 60 * kSecond}};
  attempt(29 * kSecond, 500'000);
  attempt(30 * kSecond, 200'000).outcome = Outcome::kRefused;
  attempt(31 * kSecond, 2 * kSecond);
  attempt(69 * kSecond, 500'000);
  Promptness figures = look();
  EXPECT_EQ(figures.slowest_resumption, 9'500'000);
  EXPECT_EQ(figures.late_resumptions, 0U);
  history_.attempts.pop_back();
  figures = look();
  EXPECT_EQ(figures.slowest_resumption, 40 * kSecond);  // none came until the end
  EXPECT_EQ(figures.late_resumptions, 1U);
}

}  // namespace
}  // namespace hongyan::checker
