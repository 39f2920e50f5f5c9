#include "client/cpp/core.h"

#include "client/cpp/gates.h"
#include "tests/unit/client/core_fixture.h"

namespace hongyan::client {
namespace {

class CoreTest : public CoreFixture {
 protected:
  void kick(KickReason reason, std::uint32_t reconnect_after_ms = 0) {
    Kickout body;
    body.set_reason(reason);
    body.set_reconnect_after_ms(reconnect_after_ms);
    answer(COMMAND_KICKOUT, 0, body);
  }
  Milliseconds until_wake() const { return std::chrono::duration_cast<Milliseconds>(core.next_wake() - now); }
};

TEST_F(CoreTest, ConnectsAuthenticatesAndPulls) {
  core.start(now);
  settle();
  EXPECT_EQ(connects, 1);
  core.connected("secret", 123, now);
  settle();
  const auto auth = one(COMMAND_AUTH);
  EXPECT_EQ(auth.as<AuthReq>().token(), "secret");
  EXPECT_EQ(auth.as<AuthReq>().uid(), "alice");
  EXPECT_EQ(auth.as<AuthReq>().app_id(), "default");
  EXPECT_EQ(auth.as<AuthReq>().device_id(), "d1");
  EXPECT_EQ(auth.as<AuthReq>().timestamp(), 123);
  answer(COMMAND_AUTH, auth.seq, AuthResp());
  EXPECT_EQ(states, (std::vector<State>{State::kConnecting, State::kOnline}));
  one(COMMAND_PULL);
}

TEST_F(CoreTest, BacksOffTwiceAsLongEachTimeUpToTheMaximum) {
  core.start(now);
  std::vector<std::int64_t> delays;
  for (int attempt = 0; attempt < 10; ++attempt) {
    cut();
    delays.push_back(until_wake().count());
    advance_to_wake();
  }
  EXPECT_EQ(delays, (std::vector<std::int64_t>{75, 150, 300, 600, 1200, 2400, 4800, 7500, 7500, 7500}));
  EXPECT_EQ(connects, 11);
}

TEST_F(CoreTest, BacksOffFromTheBeginningAfterASuccess) {
  core.start(now);
  for (int attempt = 0; attempt < 5; ++attempt) {
    cut();
    advance_to_wake();
  }
  log_in();
  cut();
  EXPECT_EQ(until_wake(), Milliseconds(75 + 500));  // not together with all others
}

TEST_F(CoreTest, GoesOnBackingOffWhenCutBeforeThePullEnds) {
  core.start(now);
  for (int attempt = 0; attempt < 3; ++attempt) {
    authenticate();
    taken(COMMAND_PULL);
    cut();
    advance_to_wake();
  }
  cut();
  EXPECT_EQ(until_wake(), Milliseconds(600));
}

TEST_F(CoreTest, StaysAwayAfterAnotherLogin) {
  log_in();
  kick(KICK_REASON_OTHER_LOGIN);
  ASSERT_EQ(kicks.size(), 1U);
  EXPECT_FALSE(kicks[0].will_reconnect);
  EXPECT_EQ(core.state(), State::kStopped);
  EXPECT_EQ(closes, 1);
  EXPECT_EQ(core.next_wake(), SteadyTime::max());
  core.start(now);
  settle();
  EXPECT_EQ(connects, 2);
}

TEST_F(CoreTest, ComesBackAfterADrainWhenTold) {
  log_in();
  kick(KICK_REASON_SERVER_DRAIN, 2'000);
  ASSERT_EQ(kicks.size(), 1U);
  EXPECT_TRUE(kicks[0].will_reconnect);
  EXPECT_EQ(core.state(), State::kWaiting);
  EXPECT_GE(until_wake(), Milliseconds(2'000));
  EXPECT_LE(until_wake(), Milliseconds(2'100));
  advance_to_wake();
  EXPECT_EQ(connects, 2);
}

TEST_F(CoreTest, ComesBackLaterWhenToldOff) {
  log_in();
  kick(KICK_REASON_PROTOCOL_ERROR);
  EXPECT_GE(until_wake(), Milliseconds(1'000));
}

TEST_F(CoreTest, StaysAwayWhenItsOnlyTokenExpiredOrAnOperatorSaysSo) {
  log_in();
  kick(KICK_REASON_TOKEN_EXPIRED);
  EXPECT_EQ(core.state(), State::kStopped);
  log_in();
  kick(KICK_REASON_ADMIN);
  EXPECT_EQ(core.state(), State::kStopped);
}

TEST_F(CoreTest, StopsWhenTheTokenIsRefused) {
  core.start(now);
  core.connected("bad", 1, now);
  settle();
  refuse(one(COMMAND_AUTH), ERROR_CODE_UNAUTHENTICATED);
  EXPECT_EQ(core.state(), State::kStopped);
}

TEST_F(CoreTest, TriesAgainWhenLoginIsUnavailable) {
  core.start(now);
  core.connected("token", 1, now);
  settle();
  refuse(one(COMMAND_AUTH), ERROR_CODE_UNAVAILABLE, 400);
  EXPECT_EQ(core.state(), State::kWaiting);
  EXPECT_GE(until_wake(), Milliseconds(400));
}

class RenewableTokenTest : public CoreFixture {
 protected:
  static CoreOptions renewable() {
    auto out = options();
    out.token_renewable = true;
    return out;
  }
  RenewableTokenTest() : CoreFixture(renewable()) {}
};

TEST_F(RenewableTokenTest, TriesNewTokensAFewTimes) {
  core.start(now);
  settle();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_EQ(connects, attempt);
    core.connected("token", 1, now);
    settle();
    refuse(one(COMMAND_AUTH), ERROR_CODE_UNAUTHENTICATED);
    if (attempt < 3) advance_to_wake();
  }
  EXPECT_EQ(core.state(), State::kStopped);
}

TEST_F(CoreTest, SaysItLivesAndNoticesSilence) {
  log_in();
  EXPECT_EQ(until_wake(), Milliseconds(270'000));
  advance_to_wake();
  const auto noop = one(COMMAND_NOOP);
  EXPECT_EQ(until_wake(), Milliseconds(8'010));
  answer(COMMAND_NOOP, noop.seq, ErrorOnly());
  EXPECT_EQ(until_wake(), Milliseconds(270'000));
  advance_to_wake();
  one(COMMAND_NOOP);
  advance_to_wake();
  EXPECT_EQ(core.state(), State::kWaiting);
  EXPECT_EQ(closes, 1);
}

TEST_F(CoreTest, TakesAnUnansweredAuthAsADeadConnection) {
  core.start(now);
  core.connected("token", 1, now);
  settle();
  advance(Milliseconds(8'100));
  EXPECT_EQ(core.state(), State::kWaiting);
}

TEST_F(CoreTest, SaysGoodbyeAndWaitsForTheAnswer) {
  log_in();
  core.stop(now);
  settle();
  const auto logout = one(COMMAND_LOGOUT);
  EXPECT_EQ(core.state(), State::kOnline);
  answer(COMMAND_LOGOUT, logout.seq, LogoutResp());
  EXPECT_EQ(core.state(), State::kStopped);
}

TEST_F(CoreTest, StopsWithoutAnAnswerAfterASecond) {
  log_in();
  core.stop(now);
  settle();
  advance(Milliseconds(1'000));
  EXPECT_EQ(core.state(), State::kStopped);
}

TEST_F(CoreTest, IgnoresPushesBeforeTheLoginIsAnswered) {
  core.start(now);
  core.connected("token", 1, now);
  settle();
  push(1);
  EXPECT_TRUE(messages.empty());
}

TEST(GatesAnswerTest, Parses) {
  const auto answer = parse_gates(
      R"({"gates":[{"host":"g1","port":7000,"transport":"tcp"},{"host":"g2","port":1}],"ttl_seconds":60})");
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->gates.size(), 2U);
  EXPECT_EQ(answer->gates[0].host, "g1");
  EXPECT_EQ(answer->ttl, Milliseconds(60'000));
  for (const char* bad : {"", "[]", "{}", R"({"gates":[]})", R"({"gates":[1]})",
                          R"({"gates":[{"host":"a"}]})", R"({"gates":[{"host":"a","port":70000}]})"}) {
    EXPECT_FALSE(parse_gates(bad)) << bad;
  }
}

}  // namespace
}  // namespace hongyan::client
