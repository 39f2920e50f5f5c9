#include "client/cpp/pace.h"

#include <gtest/gtest.h>

#include "tests/unit/client/core_fixture.h"

namespace hongyan::client {
namespace {

constexpr Milliseconds kTimeout{8'000};
const SteadyTime kStart{std::chrono::hours(1)};

TEST(PaceTest, AddsWhatTheSlowestLinkNeedsForTheBytesAhead) {
  Pace pace(kTimeout);
  const auto first = pace.wrote(1, 1'980, kStart);
  const auto second = pace.wrote(2, 3'980, kStart);
  EXPECT_EQ(pace.overdue_at(first) - kStart, kTimeout + Milliseconds(1'000));
  EXPECT_EQ(pace.overdue_at(second) - kStart, kTimeout + Milliseconds(3'000));
  EXPECT_EQ(pace.silence(), kTimeout + Milliseconds(1'000));  // for the first answer
}

TEST(PaceTest, KnowsByAnAnswerThatAllBeforeItIsThere) {
  Pace pace(kTimeout);
  pace.wrote(0xFFFFFFFF, 50'000, kStart);
  pace.wrote(1, 50'000, kStart);  // seqs begin again
  pace.answered(1);
  EXPECT_EQ(pace.silence(), kTimeout);
  EXPECT_EQ(pace.overdue_at(pace.wrote(2, 1'980, kStart)) - kStart, kTimeout + Milliseconds(1'000));
}

TEST(PaceTest, WaitsWhileBytesComeButNotForEver) {
  Pace pace(kTimeout);
  const auto mark = pace.wrote(1, 1'980, kStart);
  pace.received(20'000);
  EXPECT_EQ(pace.overdue_at(mark) - kStart, kTimeout + Milliseconds(11'000));
  pace.received(100'000'000);
  EXPECT_EQ(pace.overdue_at(mark) - kStart, 17 * kTimeout + Milliseconds(1'000));
}

TEST(PageSizeTest, GrowsToWhatTheLinkBringsInAFractionOfTheTimeOut) {
  PageSize page(200, kTimeout);
  std::vector<std::int32_t> limits;
  for (int i = 0; i < 5; ++i) {
    limits.push_back(page.limit());
    page.came(page.limit(), Milliseconds(20));
  }
  EXPECT_EQ(limits, (std::vector<std::int32_t>{10, 40, 160, 200, 200}));
  EXPECT_EQ(page.patience(), kTimeout);
}

TEST(PageSizeTest, StaysWhereALongRoundTripIsAllThatTakesTime) {
  PageSize page(200, kTimeout);
  for (int i = 0; i < 20; ++i) page.came(page.limit(), Milliseconds(2'500));
  EXPECT_EQ(page.limit(), 10);
}

TEST(PageSizeTest, ShrinksWhenAPageTakesLongAndWaitsLongerForTheNext) {
  PageSize page(200, kTimeout);
  page.came(10, Milliseconds(20));
  page.came(40, Milliseconds(16'000));
  EXPECT_EQ(page.limit(), 10);
  EXPECT_EQ(page.patience(), Milliseconds(32'000));
  page.came(3, Milliseconds(5'000));  // a short one took long
  EXPECT_EQ(page.limit(), 2);
  page.came(0, Milliseconds(5));
  EXPECT_EQ(page.limit(), 2);
  EXPECT_EQ(page.patience(), kTimeout);
}

TEST(PageSizeTest, AsksForLessWhenAPageDoesNotCome) {
  PageSize page(200, kTimeout);
  page.did_not_come();
  EXPECT_EQ(page.limit(), 2);
  EXPECT_EQ(page.patience(), 2 * kTimeout);
  for (int i = 0; i < 10; ++i) page.did_not_come();
  EXPECT_EQ(page.limit(), 1);
  EXPECT_EQ(page.patience(), 8 * kTimeout);
}

class SlowLinkCoreTest : public CoreFixture {
 protected:
  // So many bytes a second, a quarter of a second at a time.
  void trickle(Milliseconds time, std::size_t bytes_per_second) {
    for (Milliseconds passed{0}; passed < time; passed += Milliseconds(250)) {
      core.on_bytes(bytes_per_second / 4, now);
      advance(Milliseconds(250));
    }
  }
};

TEST_F(SlowLinkCoreTest, WaitsForAPageWhoseBytesCome) {
  authenticate(10);
  const auto pull = one(COMMAND_PULL);
  trickle(Milliseconds(60'000), 2'500);
  EXPECT_EQ(core.state(), State::kOnline);
  EXPECT_TRUE(taken(COMMAND_PULL).empty());
  answer(COMMAND_PULL, pull.seq, page(1, 10, 10));
  EXPECT_EQ(messages.size(), 10U);
}

TEST_F(SlowLinkCoreTest, WaitsForALoginWhoseBytesCome) {
  core.start(now);
  core.connected("token", 1, now);
  settle();
  const auto auth = one(COMMAND_AUTH);
  for (int i = 0; i < 5; ++i) {
    advance(Milliseconds(6'000));
    core.on_bytes(5, now);
  }
  EXPECT_EQ(core.state(), State::kConnecting);
  answer(COMMAND_AUTH, auth.seq, AuthResp());
  EXPECT_EQ(core.state(), State::kOnline);
}

TEST_F(SlowLinkCoreTest, GivesUpWhenBytesCameAndComeNoMore) {
  authenticate(10);
  one(COMMAND_PULL);
  trickle(Milliseconds(3'000), 2'500);
  advance(Milliseconds(7'000));
  EXPECT_EQ(core.state(), State::kOnline);
  advance(Milliseconds(1'100));
  EXPECT_EQ(core.state(), State::kWaiting);
}

TEST_F(SlowLinkCoreTest, AsksForASmallerPageAfterOneThatDidNotCome) {
  authenticate(10);
  EXPECT_EQ(one(COMMAND_PULL).as<PullReq>().limit(), 10);
  advance(Milliseconds(8'100));
  EXPECT_EQ(core.state(), State::kWaiting);
  advance_to_wake();
  authenticate(10);
  const auto pull = one(COMMAND_PULL);
  EXPECT_EQ(pull.as<PullReq>().limit(), 2);
  advance(Milliseconds(15'900));  // waits longer for it
  EXPECT_EQ(core.state(), State::kOnline);
  answer(COMMAND_PULL, pull.seq, page(1, 2, 10));
  EXPECT_EQ(one(COMMAND_PULL).as<PullReq>().offset(), 2);
}

TEST_F(SlowLinkCoreTest, TakesAPageThatComesLateAndGoesOnBehindIt) {
  authenticate(20);
  const auto first = one(COMMAND_PULL);
  advance(Milliseconds(4'000));
  core.on_bytes(1, now);  // the connection lives
  advance(Milliseconds(4'100));
  const auto second = one(COMMAND_PULL);
  answer(COMMAND_PULL, first.seq, page(1, 10, 20));
  EXPECT_EQ(messages.size(), 10U);
  answer(COMMAND_PULL, second.seq, page(1, 2, 20));
  EXPECT_EQ(messages.size(), 10U);
  EXPECT_EQ(one(COMMAND_PULL).as<PullReq>().offset(), 10);
}

TEST_F(SlowLinkCoreTest, DoesNotRepeatASendBehindItsOwnBytes) {
  log_in();
  core.send(1, ToUser{"bob", std::string(60'000, 'x')}, {.client_msg_id = "large"}, now);
  settle();
  const auto request = one(COMMAND_C2C_SEND);
  advance(Milliseconds(29'000));  // 60 kB at 2.5 kB a second take 24 s
  EXPECT_EQ(core.state(), State::kOnline);
  EXPECT_TRUE(taken(COMMAND_C2C_SEND).empty());
  accept(request, 1);
  EXPECT_EQ(done_sends.size(), 1U);
}

TEST_F(SlowLinkCoreTest, DoesNotRepeatASendWhoseAnswerWaitsBehindAPage) {
  authenticate(10);
  send("bob", "c1");
  one(COMMAND_C2C_SEND);
  trickle(Milliseconds(25'000), 2'500);
  EXPECT_TRUE(taken(COMMAND_C2C_SEND).empty());
}

}  // namespace
}  // namespace hongyan::client
