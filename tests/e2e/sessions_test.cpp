// One session a user and class of devices, the last to have logged in; none beyond its token.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/e2e/gate_client.h"
#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPhone = client::DEVICE_TYPE_IOS;

// The signal is on its way for a moment: until all threads stand still.
bool stopped(int pid) {
  if (::kill(pid, SIGSTOP) != 0) return false;
  return tools::eventually([pid] {
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
      std::ifstream file(task.path() / "stat");
      std::string stat;
      std::getline(file, stat);
      if (stat.find(") T ") == std::string::npos) return false;
    }
    return true;
  });
}

class SessionsTest : public ::testing::Test {
 protected:
  SessionsTest() : uid_(tools::unique("bob")), token_(tools::Cluster::get().token(uid_)) {}

  // Logs in, once the owner serves.
  client::AuthResp log_in(GateClient& raw, const std::string& device_id) {
    client::AuthResp answer;
    EXPECT_TRUE(tools::eventually([&] {
      answer = raw.login(uid_, token_, kPhone, device_id);
      return !answer.has_error();
    })) << answer.error().message();
    return answer;
  }
  // Reads until the gate closes; the reason of the KICKOUT, -1: there was none, -2: it did not close.
  static int ended(GateClient& raw, std::chrono::milliseconds deadline = 15s) {
    int reason = -1;
    const auto end = Clock::now() + deadline;
    while (!raw.closed() && Clock::now() < end) {
      const auto packet = raw.read(100ms);
      client::Kickout kickout;
      if (packet && packet->header.cmd_id == client::COMMAND_KICKOUT &&
          kickout.ParseFromString(packet->body)) {
        reason = kickout.reason();
      }
    }
    return raw.closed() ? reason : -2;
  }
  static bool answers_noop(GateClient& raw) {
    raw.send(client::COMMAND_NOOP, 77, "");
    while (const auto packet = raw.read(5s)) {
      if (packet->header.cmd_id == client::COMMAND_NOOP) return true;
    }
    return false;
  }
  // How many links of the gate logic-1 has seen go down.
  static int lost_links(const std::string& gate) {
    std::ifstream log(tools::Cluster::get().variable("HONGYAN_DIR") + "/log/logic-1.log");
    int count = 0;
    for (std::string line; std::getline(log, line);) {
      if (line.find("[link] down") != std::string::npos && line.find(gate) != std::string::npos) ++count;
    }
    return count;
  }
  // The session id, as AuthResp computes it, of the route in Redis; 0: there is none.
  [[nodiscard]] std::uint64_t session_in_route() const {
    const tools::Cluster& cluster = tools::Cluster::get();
    const std::string route = cluster.redis(fmt::format("HVALS 'route:{{{}:{}}}'", cluster.app(), uid_));
    std::vector<std::string> fields;
    for (std::size_t begin = 0; begin <= route.size();) {
      const auto bar = std::min(route.find('|', begin), route.size());
      fields.push_back(route.substr(begin, bar - begin));
      begin = bar + 1;
    }
    if (fields.size() < 4) return 0;
    return std::stoull(fields[0]) ^ (std::stoull(fields[3]) << 16U);
  }

  const std::string uid_;
  const std::string token_;
};

TEST_F(SessionsTest, AnExpiredTokenClosesTheSession) {
  GateClient raw;
  const auto begin = Clock::now();
  ASSERT_FALSE(raw.login(uid_, tools::Cluster::get().token(uid_, 3), kPhone).has_error());
  EXPECT_TRUE(answers_noop(raw));
  EXPECT_EQ(ended(raw), client::KICK_REASON_TOKEN_EXPIRED);
  EXPECT_GT(Clock::now() - begin, 1s);
  EXPECT_LT(Clock::now() - begin, 5s);  // 3 s, then 1 s for the kick and 1 s to close
}

TEST_F(SessionsTest, ATokenExpiresAfterTheOwnerRestarted) {
  GateClient raw;
  const auto begin = Clock::now();
  ASSERT_FALSE(raw.login(uid_, tools::Cluster::get().token(uid_, 6), kPhone).has_error());
  ASSERT_TRUE(tools::Cluster::get().kill("logic-1"));
  ASSERT_TRUE(tools::Cluster::get().restart("logic-1"));
  EXPECT_EQ(ended(raw), client::KICK_REASON_TOKEN_EXPIRED);
  EXPECT_LT(Clock::now() - begin, 10s);
}

TEST_F(SessionsTest, OfTwoLoginsAtOnceOneSurvives) {
  for (int round = 0; round < 40; ++round) {
    std::array<GateClient, 2> raws{GateClient(0), GateClient(1)};
    for (std::size_t i = 0; i < 2; ++i) {
      raws[(i + static_cast<std::size_t>(round)) % 2].send_login(uid_, token_, kPhone,
                                                                 "phone-" + std::to_string(i));
    }
    std::array<std::uint64_t, 2> ids{};
    std::array<int, 2> kicked{-1, -1};
    const auto end = Clock::now() + 10s;
    const auto done = [&] { return ids[0] != 0 && ids[1] != 0 && (raws[0].closed() || raws[1].closed()); };
    for (std::size_t i = 0; !done() && Clock::now() < end; i = 1 - i) {
      const auto packet = raws[i].read(20ms);
      if (!packet) continue;
      client::AuthResp answer;
      client::Kickout kickout;
      if (packet->header.cmd_id == client::COMMAND_AUTH && answer.ParseFromString(packet->body)) {
        ASSERT_FALSE(answer.has_error()) << answer.error().message();
        ids[i] = answer.session_id();
      } else if (packet->header.cmd_id == client::COMMAND_KICKOUT && kickout.ParseFromString(packet->body)) {
        kicked[i] = kickout.reason();
      }
    }
    ASSERT_TRUE(done()) << round;
    ASSERT_NE(raws[0].closed(), raws[1].closed()) << round;
    const std::size_t survivor = raws[0].closed() ? 1 : 0;
    EXPECT_EQ(kicked[1 - survivor], client::KICK_REASON_OTHER_LOGIN) << round;
    EXPECT_TRUE(answers_noop(raws[survivor])) << round;
    // The owner's last word.
    EXPECT_TRUE(tools::eventually([&] { return session_in_route() == ids[survivor]; })) << round;
  }
}

TEST_F(SessionsTest, TheSameDeviceReplacesItselfSilently) {
  GateClient before(0);
  log_in(before, "phone");
  GateClient now(1);
  log_in(now, "phone");
  EXPECT_EQ(ended(before), -1);
  EXPECT_TRUE(answers_noop(now));
}

TEST_F(SessionsTest, AGateThatWasFrozenLearnsOfTheLaterLogin) {
  GateClient before(0);
  log_in(before, "phone-1");
  const int links_down = lost_links("gate-1");
  const int gate = tools::Cluster::get().members()["gate-1"];
  ASSERT_GT(gate, 0);
  ASSERT_TRUE(stopped(gate));
  const bool cut_off =
      tools::eventually([&] { return lost_links("gate-1") == links_down + 2; });  // one a worker
  GateClient now(1);
  log_in(now, "phone-2");
  ASSERT_EQ(::kill(gate, SIGCONT), 0);
  ASSERT_TRUE(cut_off);
  EXPECT_EQ(ended(before), client::KICK_REASON_OTHER_LOGIN);
  EXPECT_TRUE(answers_noop(now));
}

// Its connection has ended meanwhile, and the device that is there stays.
TEST_F(SessionsTest, ALoginInTheBuffersOfAStoppedGateEndsNobody) {
  GateClient present(1);
  const std::uint64_t id = log_in(present, "phone-2").session_id();
  const int gate = tools::Cluster::get().members()["gate-1"];
  ASSERT_GT(gate, 0);
  for (int round = 0; round < 10; ++round) {
    {
      GateClient gone(0);
      ASSERT_TRUE(stopped(gate));
      gone.send_login(uid_, token_, kPhone, "phone-1");
    }
    ASSERT_EQ(::kill(gate, SIGCONT), 0);
    GateClient later(0);  // heard after the other's end
    ASSERT_TRUE(answers_noop(later));
    EXPECT_TRUE(tools::eventually([&] { return session_in_route() == id; })) << round;
    ASSERT_TRUE(answers_noop(present)) << round;
  }
}

TEST_F(SessionsTest, AGateThatStoodStillRefusesTheLoginsOfMeanwhile) {
  GateClient raw(0);
  const int gate = tools::Cluster::get().members()["gate-1"];
  ASSERT_GT(gate, 0);
  ASSERT_TRUE(stopped(gate));
  raw.send_login(uid_, token_, kPhone, "phone-1");
  const auto early = raw.read(2500ms);
  ASSERT_EQ(::kill(gate, SIGCONT), 0);
  ASSERT_FALSE(early);
  const auto packet = raw.read(10s);
  ASSERT_TRUE(packet);
  client::AuthResp answer;
  ASSERT_TRUE(answer.ParseFromString(packet->body));
  EXPECT_EQ(answer.error().code(), client::ERROR_CODE_UNAVAILABLE);
  EXPECT_GT(answer.error().retry_after_ms(), 0U);
  EXPECT_TRUE(tools::eventually([&] { return !raw.login(uid_, token_, kPhone, "phone-1").has_error(); }));
}

TEST_F(SessionsTest, AnOwnerThatRestartedKnowsTheEarlierLogin) {
  GateClient before(0);
  log_in(before, "phone-1");
  ASSERT_TRUE(tools::Cluster::get().kill("logic-1"));
  ASSERT_TRUE(tools::Cluster::get().restart("logic-1"));
  GateClient now(1);
  log_in(now, "phone-2");
  EXPECT_EQ(ended(before), client::KICK_REASON_OTHER_LOGIN);
  EXPECT_TRUE(answers_noop(now));
}

// Takes as long as a push is waited for twice, and until its gate reports who is alive.
TEST_F(SessionsTest, WhoOnlySendsKeepalivesIsToldToPull) {
  TestClient alice(tools::unique("alice"));
  alice.start();
  ASSERT_TRUE(alice.wait_online());
  GateClient raw;
  log_in(raw, "phone");
  ASSERT_TRUE(alice.send(uid_, "are you there?"));
  int pushes = 0;
  bool told = false;
  for (const auto end = Clock::now() + 60s; !told && Clock::now() < end;) {
    raw.send(client::COMMAND_NOOP, 5, "");
    while (const auto packet = raw.read(1s)) {
      if (packet->header.cmd_id == client::COMMAND_C2C_PUSH) ++pushes;
      if (packet->header.cmd_id == client::COMMAND_SYNC_NOTIFY) told = true;
    }
  }
  EXPECT_TRUE(told);
  // No third. One, when its gate happened to report all its sessions, as it does after the restart of before.
  EXPECT_GE(pushes, 1);
  EXPECT_LE(pushes, 2);
}

}  // namespace
}  // namespace hongyan::e2e
