#include "gate/session/peer_table.h"

#include <gtest/gtest.h>

#include <set>

namespace hongyan::gate {
namespace {

Peer& add_user(PeerTable& table, const std::string& uid, std::uint32_t device_type = 1) {
  Peer& peer = table.add(SteadyTime{});
  peer.app_id = "demo";
  peer.uid = uid;
  peer.device_type = device_type;
  peer.device_class = device_class(device_type);
  return peer;
}

TEST(PeerTableTest, ChannelNamesTheWorkerAndIsNeverReused) {
  PeerTable table(3);
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

TEST(PeerTableTest, FindsByUserOnceLoggedIn) {
  PeerTable table(0);
  Peer& peer = add_user(table, "alice");
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), nullptr);
  EXPECT_EQ(table.log_in(peer, 7, SteadyTime{}), nullptr);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), &peer);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kDesktop), nullptr);
  EXPECT_EQ(table.find("demoa", "lice", DeviceClass::kMobile), nullptr);
  EXPECT_EQ(table.logged_in(), 1U);
  table.remove(peer.channel);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), nullptr);
  EXPECT_EQ(table.logged_in(), 0U);
}

TEST(PeerTableTest, HigherLoginEpochStays) {
  PeerTable table(0);
  Peer& older = add_user(table, "alice", 1);
  Peer& newer = add_user(table, "alice", 2);
  EXPECT_EQ(table.log_in(newer, 9, SteadyTime{}), nullptr);
  // Answers may come in another order than logins.
  EXPECT_EQ(table.log_in(older, 8, SteadyTime{}), &older);
  EXPECT_FALSE(older.logged_in);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), &newer);

  Peer& newest = add_user(table, "alice", 1);
  EXPECT_EQ(table.log_in(newest, 10, SteadyTime{}), &newer);
  EXPECT_FALSE(newer.logged_in);
  EXPECT_EQ(table.find("demo", "alice", DeviceClass::kMobile), &newest);
}

TEST(PeerTableTest, LoggingInAgainKeepsTheSession) {
  PeerTable table(0);
  Peer& peer = add_user(table, "alice");
  EXPECT_EQ(table.log_in(peer, 1, SteadyTime{}), nullptr);
  EXPECT_EQ(table.log_in(peer, 2, SteadyTime{}), nullptr);
  EXPECT_EQ(peer.login_epoch, 2U);
  EXPECT_EQ(table.logged_in(), 1U);
}

TEST(PeerTableTest, WalkSeesEverybodyInBoundedSteps) {
  PeerTable table(0);
  for (int i = 0; i < 25; ++i) table.add(SteadyTime{});
  std::multiset<std::uint64_t> seen;
  for (int step = 0; step < 5; ++step) {
    std::size_t visited = 0;
    table.walk(5, [&](Peer& peer) {
      seen.insert(peer.channel);
      ++visited;
    });
    EXPECT_EQ(visited, 5U);
  }
  EXPECT_EQ(seen.size(), 25U);
  EXPECT_EQ(std::set<std::uint64_t>(seen.begin(), seen.end()).size(), 25U);
}

TEST(PeerTableTest, WalkMayRemoveWhatItVisits) {
  PeerTable table(0);
  for (int i = 0; i < 10; ++i) table.add(SteadyTime{});
  std::size_t visited = 0;
  table.walk(100, [&](Peer& peer) {
    ++visited;
    if (peer.channel % 2 == 0) table.remove(peer.channel);
  });
  EXPECT_EQ(visited, 10U);
  EXPECT_EQ(table.size(), 5U);
  table.walk(100, [&](Peer& peer) { table.remove(peer.channel); });
  EXPECT_EQ(table.size(), 0U);
  table.walk(100, [](Peer&) { FAIL(); });
}

}  // namespace
}  // namespace hongyan::gate
