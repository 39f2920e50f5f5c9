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
  ClientTable table(3, SteadyTime{});
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
  ClientTable table(0, SteadyTime{});
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
  ClientTable table(0, SteadyTime{});
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
  ClientTable table(0, SteadyTime{});
  Client& client = add_user(table, "alice");
  EXPECT_EQ(table.log_in(client, 1), nullptr);
  EXPECT_EQ(table.log_in(client, 2), nullptr);
  EXPECT_EQ(client.login_epoch, 2U);
  EXPECT_EQ(table.logged_in(), 1U);
}

TEST(ClientTableTest, LooksAtThoseWhoseTimeHasCome) {
  ClientTable table(0, SteadyTime{});
  Client& soon = table.add(SteadyTime{});
  Client& gone = table.add(SteadyTime{});
  Client& late = table.add(SteadyTime{});
  table.look_at(soon, SteadyTime{} + Milliseconds(100));
  table.look_at(gone, SteadyTime{} + Milliseconds(100));
  table.look_at(late, SteadyTime{} + Milliseconds(1000));
  table.remove(gone.channel);
  std::vector<std::uint64_t> seen;
  const auto look = [&](Milliseconds at) {
    seen.clear();
    table.look(SteadyTime{} + at, 10, [&](Client& client) { seen.push_back(client.channel); });
  };
  look(Milliseconds(99));
  EXPECT_TRUE(seen.empty());
  look(Milliseconds(150));
  EXPECT_EQ(seen, std::vector{soon.channel});
  look(Milliseconds(2000));
  EXPECT_EQ(seen, std::vector{late.channel});
}

}  // namespace
}  // namespace hongyan::gate
