#include "gate/session/client_table.h"

#include <gtest/gtest.h>

#include <set>

namespace hongyan::gate {
namespace {

Client& add_user(ClientTable& table, const std::string& uid, std::uint32_t device_type = 1) {
  Client& client = table.add(SteadyTime{});
  client.app_id = "demo";
  client.uid = uid;
  client.device_type = device_type;
  client.device_class = device_class(device_type);
  return client;
}

TEST(ClientTableTest, ChannelNamesItsLoopAndIsNeverReused) {
  ClientTable table(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) {
    const auto channel = table.add(SteadyTime{}).channel;
    EXPECT_EQ(channel >> 48, 3U);
    EXPECT_TRUE(seen.insert(channel).second);
    table.remove(channel);
    EXPECT_EQ(table.find(channel), nullptr);
  }
  EXPECT_EQ(table.size(), 0U);
}

TEST(ClientTableTest, FindsByUserOnceLoggedIn) {
  ClientTable table(0);
  Client& client = add_user(table, "alice");
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), nullptr);
  EXPECT_EQ(table.log_in(client, 7), nullptr);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), &client);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kDesktop), nullptr);
  EXPECT_EQ(table.find("demoa", "lice", DeviceClass::kMobile), nullptr);
  EXPECT_EQ(table.logged_in(), 1U);
  table.remove(client.channel);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), nullptr);
  EXPECT_EQ(table.logged_in(), 0U);
}

TEST(ClientTableTest, HigherLoginEpochStays) {
  ClientTable table(0);
  Client& older = add_user(table, "alice", 1);
  Client& newer = add_user(table, "alice", 2);
  EXPECT_EQ(table.log_in(newer, 9), nullptr);
  // Answers may come in another order than logins.
  EXPECT_EQ(table.log_in(older, 8), &older);
  EXPECT_FALSE(older.logged_in);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), &newer);

  Client& newest = add_user(table, "alice", 1);
  EXPECT_EQ(table.log_in(newest, 10), &newer);
  EXPECT_FALSE(newer.logged_in);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), &newest);
}

TEST(ClientTableTest, LoggingInAgainKeepsTheSession) {
  ClientTable table(0);
  Client& client = add_user(table, "alice");
  EXPECT_EQ(table.log_in(client, 1), nullptr);
  EXPECT_EQ(table.log_in(client, 2), nullptr);
  EXPECT_EQ(client.login_epoch, 2U);
  EXPECT_EQ(table.logged_in(), 1U);
}

TEST(ClientTableTest, WalkSeesEverybodyInBoundedSteps) {
  ClientTable table(0);
  for (int i = 0; i < 25; ++i) table.add(SteadyTime{});
  std::multiset<std::uint64_t> seen;
  for (int step = 0; step < 5; ++step) {
    std::size_t visited = 0;
    table.walk(5, [&](Client& client) {
      seen.insert(client.channel);
      ++visited;
    });
    EXPECT_EQ(visited, 5U);
  }
  EXPECT_EQ(seen.size(), 25U);
  EXPECT_EQ(std::set<std::uint64_t>(seen.begin(), seen.end()).size(), 25U);
}

TEST(ClientTableTest, WalkMayRemoveWhatItVisits) {
  ClientTable table(0);
  for (int i = 0; i < 10; ++i) table.add(SteadyTime{});
  std::size_t visited = 0;
  table.walk(100, [&](Client& client) {
    ++visited;
    if (client.channel % 2 == 0) table.remove(client.channel);
  });
  EXPECT_EQ(visited, 10U);
  EXPECT_EQ(table.size(), 5U);
  table.walk(100, [&](Client& client) { table.remove(client.channel); });
  EXPECT_EQ(table.size(), 0U);
  table.walk(100, [](Client&) { FAIL(); });
}

}  // namespace
}  // namespace hongyan::gate
