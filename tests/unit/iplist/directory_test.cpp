#include "iplist/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace hongyan::iplist {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr SteadyTime kStart{std::chrono::hours(1)};

SteadyTime at(int ms) { return kStart + Milliseconds(ms); }

link::Heartbeat gate(const std::string& name, std::uint32_t connections = 0, std::uint32_t max = 1000) {
  link::Heartbeat heartbeat;
  heartbeat.set_role(link::ROLE_GATE);
  heartbeat.set_node_id(name);
  heartbeat.set_boot_id(1);
  auto& endpoint = *heartbeat.add_endpoints();
  endpoint.set_transport("tcp");
  endpoint.set_host(name);
  endpoint.set_port(7000);
  heartbeat.set_connections(connections);
  heartbeat.set_max_connections(max);
  return heartbeat;
}

link::Heartbeat logic(const std::string& name, std::uint64_t boot = 1) {
  link::Heartbeat heartbeat;
  heartbeat.set_role(link::ROLE_LOGIC);
  heartbeat.set_node_id(name);
  heartbeat.set_boot_id(boot);
  auto& endpoint = *heartbeat.add_endpoints();
  endpoint.set_host("127.0.0.1");
  endpoint.set_port(7100);
  return heartbeat;
}

class DirectoryTest : public ::testing::Test {
 protected:
  // Each node has a link of its own.
  bool beat(const link::Heartbeat& heartbeat, int ms = 0) {
    const LinkId link = &*links_.insert(heartbeat.node_id()).first;
    const auto taken = directory_.heartbeat(link, heartbeat, at(ms));
    EXPECT_TRUE(taken) << taken.error().message;
    return taken && *taken;
  }
  void drop_link(const std::string& name, int ms) {
    const LinkId link = &*links_.insert(name).first;
    directory_.link_down(link, at(ms));
  }
  [[nodiscard]] std::vector<std::string> hosts(GateQuery query, int ms = 0) const {
    std::vector<std::string> names;
    for (const auto& address : directory_.choose(query, at(ms))) names.push_back(address.host);
    return names;
  }
  [[nodiscard]] static GateQuery query(std::size_t limit = 20, std::string spread = "alice") {
    return {.app_id = "demo", .transport = "tcp", .spread = std::move(spread), .limit = limit};
  }
  [[nodiscard]] std::vector<std::string> logic_nodes(int ms) const {
    std::vector<std::string> names;
    for (const auto& node : directory_.answer(at(ms)).logic_nodes()) names.push_back(node.node_id());
    return names;
  }

  std::set<std::string> links_;
  Directory directory_{kStart};
};

TEST_F(DirectoryTest, KnowsNobodyAtFirst) {
  EXPECT_THAT(hosts(query()), IsEmpty());
  EXPECT_THAT(logic_nodes(0), IsEmpty());
}

TEST_F(DirectoryTest, IsCompleteThreeSecondsAfterItsStart) {
  EXPECT_FALSE(directory_.answer(at(0)).complete());
  EXPECT_FALSE(directory_.answer(at(2999)).complete());
  EXPECT_TRUE(directory_.answer(at(3000)).complete());
}

TEST_F(DirectoryTest, NamesLogicNodesWithTheirLinkEndpoint) {
  beat(logic("logic-2", 22));
  beat(logic("logic-1", 11));
  beat(gate("gate-1"));
  const auto answer = directory_.answer(at(0));
  ASSERT_EQ(answer.logic_nodes_size(), 2);
  EXPECT_EQ(answer.logic_nodes(0).node_id(), "logic-1");
  EXPECT_EQ(answer.logic_nodes(0).boot_id(), 11U);
  EXPECT_EQ(answer.logic_nodes(0).host(), "127.0.0.1");
  EXPECT_EQ(answer.logic_nodes(0).port(), 7100U);
  EXPECT_EQ(answer.logic_nodes(1).node_id(), "logic-2");
}

TEST_F(DirectoryTest, ForgetsNodesThreeSecondsAfterTheirLastHeartbeat) {
  beat(logic("logic-1"), 0);
  beat(gate("gate-1"), 500);
  EXPECT_THAT(logic_nodes(2999), ElementsAre("logic-1"));
  EXPECT_THAT(logic_nodes(3000), IsEmpty());
  EXPECT_THAT(hosts(query(), 3499), ElementsAre("gate-1"));
  EXPECT_THAT(directory_.expire(at(3499)), ElementsAre("logic-1"));
  EXPECT_THAT(hosts(query(), 3500), IsEmpty());
  EXPECT_THAT(directory_.expire(at(3500)), ElementsAre("gate-1"));
  EXPECT_THAT(directory_.expire(at(9000)), IsEmpty());
}

TEST_F(DirectoryTest, ForgetsNodesSoonerWhenTheirLinkEndsForGood) {
  beat(logic("logic-1"), 0);
  beat(gate("gate-1"), 0);
  drop_link("logic-1", 100);
  drop_link("gate-1", 100);
  EXPECT_THAT(logic_nodes(1099), ElementsAre("logic-1"));  // it may be back on another link
  EXPECT_THAT(hosts(query(), 100), IsEmpty());             // clients are not sent there meanwhile
  EXPECT_THAT(logic_nodes(1100), IsEmpty());
}

TEST_F(DirectoryTest, KeepsNodesThatAreBackOnANewLink) {
  beat(logic("logic-1"), 0);
  int new_link = 0;
  ASSERT_TRUE(directory_.heartbeat(&new_link, logic("logic-1"), at(50)));
  drop_link("logic-1", 100);  // the end of the old link is noticed late
  EXPECT_THAT(logic_nodes(2000), ElementsAre("logic-1"));
}

TEST_F(DirectoryTest, TellsWhenANodeIsNewOrStartedAnew) {
  EXPECT_TRUE(beat(logic("logic-1", 1), 0));
  EXPECT_FALSE(beat(logic("logic-1", 1), 1000));
  EXPECT_TRUE(beat(logic("logic-1", 2), 2000));
  EXPECT_TRUE(beat(logic("logic-1", 2), 9000));
  EXPECT_EQ(directory_.live_logic_nodes(at(9000)), 1U);
}

TEST_F(DirectoryTest, KeepsAGateAndALogicNodeOfOneNameApart) {
  beat(logic("one"));
  beat(gate("one"));
  EXPECT_EQ(directory_.live_gates(at(0)), 1U);
  EXPECT_EQ(directory_.live_logic_nodes(at(0)), 1U);
}

TEST_F(DirectoryTest, OffersTheLessLoadedFirst) {
  beat(gate("busy", 900));
  beat(gate("idle", 0));
  beat(gate("half", 500));
  EXPECT_THAT(hosts(query()), ElementsAre("idle", "half", "busy"));
  EXPECT_THAT(hosts(query(1)), ElementsAre("idle"));
  // What counts is the part of what a gate can take.
  beat(gate("busy", 900, 1'000'000));
  EXPECT_THAT(hosts(query(2)), UnorderedElementsAre("idle", "busy"));
}

TEST_F(DirectoryTest, LeavesOutTheFullAndTheDraining) {
  beat(gate("full", 1000));
  auto draining = gate("draining");
  draining.set_draining(true);
  beat(draining);
  beat(gate("good", 999));
  EXPECT_THAT(hosts(query()), ElementsAre("good"));
}

TEST_F(DirectoryTest, OffersOnlyGatesOfTheAppItsOwnFirst) {
  auto other = gate("other");
  other.add_apps("elsewhere");
  beat(other);
  beat(gate("any"));
  auto own = gate("own", 800);
  own.add_apps("x");
  own.add_apps("demo");
  beat(own);
  EXPECT_THAT(hosts(query()), ElementsAre("own", "any"));
}

TEST_F(DirectoryTest, OffersTheEndpointOfTheTransport) {
  auto both = gate("both");
  auto& ws = *both.add_endpoints();
  ws.set_transport("ws");
  ws.set_host("ws.example.com");
  ws.set_port(7001);
  beat(both);
  beat(gate("plain"));
  auto asked = query();
  asked.transport = "ws";
  EXPECT_THAT(directory_.choose(asked, at(0)), ElementsAre(GateAddress{"ws.example.com", 7001, "ws"}));
  asked.transport = "wss";
  EXPECT_THAT(directory_.choose(asked, at(0)), IsEmpty());
}

TEST_F(DirectoryTest, SpreadsUsersOverEqualGatesAndGivesEachTheSameAnswer) {
  for (const char* name : {"a", "b", "c", "d"}) beat(gate(name, 3));
  std::map<std::string, int> first;
  for (int i = 0; i < 1000; ++i) {
    const auto uid = "user-" + std::to_string(i);
    const auto chosen = hosts(query(4, uid));
    ASSERT_THAT(chosen, SizeIs(4));
    EXPECT_EQ(chosen, hosts(query(4, uid)));
    ++first[chosen.front()];
  }
  ASSERT_THAT(first, SizeIs(4));
  for (const auto& [name, count] : first) {
    EXPECT_GT(count, 180) << name;
    EXPECT_LT(count, 320) << name;
  }
}

TEST_F(DirectoryTest, NeverAnswersMoreThanTwenty) {
  for (int i = 0; i < 30; ++i) beat(gate("gate-" + std::to_string(i)));
  EXPECT_THAT(hosts(query(20)), SizeIs(20));
  EXPECT_THAT(hosts(query(1000)), SizeIs(20));
}

TEST_F(DirectoryTest, RefusesHeartbeatsThatMakeNoSense) {
  std::vector<link::Heartbeat> bad;
  bad.push_back(gate(""));
  bad.push_back(gate("a b"));
  bad.push_back(gate(std::string(129, 'x')));
  bad.push_back(gate("x"));
  bad.back().set_role(link::ROLE_IPLIST);
  bad.push_back(gate("x"));
  bad.back().clear_endpoints();
  bad.push_back(gate("x"));
  bad.back().mutable_endpoints(0)->set_transport("udp");
  bad.push_back(gate("x"));
  bad.back().mutable_endpoints(0)->set_port(65536);
  bad.push_back(gate("x"));
  bad.back().mutable_endpoints(0)->set_port(0);
  bad.push_back(gate("x"));
  bad.back().mutable_endpoints(0)->set_host("a\r\nb");
  bad.push_back(gate("x"));
  for (int i = 0; i < 17; ++i) *bad.back().add_endpoints() = bad.back().endpoints(0);
  for (const auto& heartbeat : bad) {
    const auto taken = directory_.heartbeat(this, heartbeat, at(0));
    ASSERT_FALSE(taken) << heartbeat.ShortDebugString();
    EXPECT_EQ(taken.error().code, Code::kBadRequest);
  }
  EXPECT_EQ(directory_.live_gates(at(0)), 0U);
}

TEST_F(DirectoryTest, HoldsABoundedNumberOfNodes) {
  Directory::Options options;
  options.max_nodes = 2;
  Directory small(kStart, options);
  EXPECT_TRUE(small.heartbeat(this, gate("a"), at(0)));
  EXPECT_TRUE(small.heartbeat(this, gate("b"), at(0)));
  EXPECT_FALSE(small.heartbeat(this, gate("c"), at(0)));
  EXPECT_TRUE(small.heartbeat(this, gate("a"), at(1000)));
  EXPECT_TRUE(small.heartbeat(this, gate("c"), at(3500)));  // b is dead by now
}

}  // namespace
}  // namespace hongyan::iplist
