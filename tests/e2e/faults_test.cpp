// kill -9 of each daemon, Redis emptied, MySQL away: nothing acknowledged is lost and service resumes by
// itself.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "tests/e2e/conversation.h"
#include "tests/e2e/gate_client.h"
#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

class FaultsTest : public ::testing::Test {
 protected:
  void kill_under_load(std::string_view name) {
    std::atomic<bool> stop = false;
    std::thread load([this, &stop] {
      while (!stop) talk_.send(1);
    });
    const tools::Cluster& cluster = tools::Cluster::get();
    EXPECT_TRUE(cluster.kill(name));
    EXPECT_TRUE(cluster.restart(name));
    stop = true;
    load.join();
    talk_.send(5);
    talk_.expect_all();
  }

  Conversation talk_;
};

TEST_F(FaultsTest, GateKilled) { kill_under_load("gate-1"); }
TEST_F(FaultsTest, LogicKilled) { kill_under_load("logic-1"); }
TEST_F(FaultsTest, MariaDbKilled) { kill_under_load("mysql-1"); }
TEST_F(FaultsTest, RedisKilled) { kill_under_load("redis"); }

TEST_F(FaultsTest, IplistKilledLeavesChatAlone) {
  const tools::Cluster& cluster = tools::Cluster::get();
  ASSERT_TRUE(cluster.kill("iplist-1"));
  talk_.send(20);
  talk_.expect_all();
  ASSERT_TRUE(cluster.restart("iplist-1"));
  client::ClientOptions options;
  options.iplist = {cluster.iplist()};
  TestClient carol(tools::unique("carol"), options);
  carol.start();
  EXPECT_TRUE(carol.wait_online());
}

TEST_F(FaultsTest, RedisEmptied) {
  const tools::Cluster& cluster = tools::Cluster::get();
  const std::string route = "HLEN 'route:{" + cluster.app() + ":" + talk_.receiver() + "}'";
  EXPECT_TRUE(tools::eventually([&] { return cluster.redis(route) == "1"; }));
  EXPECT_EQ(cluster.redis("FLUSHALL"), "OK");
  talk_.send(20);
  talk_.expect_all();
  EXPECT_TRUE(tools::eventually([&] { return cluster.redis(route) == "1"; }));
}

TEST_F(FaultsTest, RedisAwayChatGoesOn) {
  const tools::Cluster& cluster = tools::Cluster::get();
  ASSERT_TRUE(cluster.kill("redis"));
  talk_.send(20);
  TestClient carol(tools::unique("carol"));
  carol.start();
  EXPECT_TRUE(carol.wait_online());
  talk_.expect_all();
  ASSERT_TRUE(cluster.restart("redis"));
}

// Without MySQL a send is answered within 3 s, and resumes by itself.
TEST_F(FaultsTest, MySqlAwayIsAnsweredInTime) {
  const tools::Cluster& cluster = tools::Cluster::get();
  const std::string uid = tools::unique("carol");
  GateClient carol;
  ASSERT_FALSE(carol.login(uid, cluster.token(uid)).has_error());
  ASSERT_TRUE(cluster.kill("mysql-1"));
  for (std::uint32_t i = 10; i < 13; ++i) {
    client::C2CSendReq request;
    request.set_to("nobody");
    request.set_client_msg_id(std::to_string(i));
    const auto begin = std::chrono::steady_clock::now();
    carol.send(client::COMMAND_C2C_SEND, i, request.SerializeAsString());
    const auto answer = carol.read();
    ASSERT_TRUE(answer);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(3500));
    const auto code = error_of(*answer);
    EXPECT_TRUE(code == client::ERROR_CODE_UNAVAILABLE || code == client::ERROR_CODE_DEADLINE_EXCEEDED)
        << code;
  }
  ASSERT_TRUE(cluster.restart("mysql-1"));
  talk_.send(5);
  talk_.expect_all();
}

}  // namespace
}  // namespace hongyan::e2e
