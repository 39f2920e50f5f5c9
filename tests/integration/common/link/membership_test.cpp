#include "common/link/membership.h"

#include <algorithm>

#include "proto/parse.h"
#include "tests/integration/common/link/link_fixture.h"

namespace hongyan::link {
namespace {

class MembershipTest : public LinkFixture {};

// An iplist that answers every heartbeat with what it is told to.
class FakeIplist : public LinkHandler {
 public:
  void on_link_up(const LinkPtr&) override {}
  void on_link_down(const LinkPtr&) override {}
  void on_link_packets(const LinkPtr& link, std::span<const LinkPacket> packets) override {
    const std::lock_guard lock(mutex);
    for (const auto& packet : packets) {
      Heartbeat heartbeat;
      if (packet.command != LINK_COMMAND_HEARTBEAT || !parse(heartbeat, packet.envelope)) {
        continue;
      }
      heartbeats.push_back(heartbeat);
      changed.notify_all();
      EXPECT_TRUE(link->send(LINK_COMMAND_HEARTBEAT_ANSWER, 0, 0, answer));
    }
  }
  bool wait(const std::function<bool(const Heartbeat&)>& fits) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, [&] { return std::ranges::any_of(heartbeats, fits); });
  }

  std::mutex mutex;
  std::condition_variable changed;
  HeartbeatAnswer answer;
  std::vector<Heartbeat> heartbeats;
};

TEST_F(MembershipTest, ReportsLogicNodesAndSaysGoodbye) {
  FakeIplist iplist;
  auto& node = *iplist.answer.add_logic_nodes();
  node.set_node_id("logic-1");
  node.set_host("127.0.0.1");
  node.set_port(7100);
  iplist.answer.set_complete(true);
  Identity identity{.role = ROLE_IPLIST, .node_id = "iplist-1", .boot_id = 5, .secret = gate.secret};
  auto listening = LinkServer::start({&server_loop}, "127.0.0.1", 0, identity, iplist);
  ASSERT_TRUE(listening.has_value());

  std::promise<std::vector<Member>> first;
  std::atomic<int> reports{0};
  net::EventLoop loop("members");
  Membership membership(
      loop, gate,
      {.iplists = {{.node_id = "", .boot_id = 0, .endpoint = {"127.0.0.1", (*listening)->port()}}},
       .fixed_nodes = {},
       .interval = Milliseconds(20)},
      [] {
        Heartbeat heartbeat;
        heartbeat.set_connections(7);
        return heartbeat;
      },
      [&](const std::vector<Member>& members) {
        if (++reports == 1) first.set_value(members);
      });
  membership.start();
  loop.start();
  const auto members = first.get_future().get();
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].node_id, "logic-1");
  EXPECT_EQ(members[0].endpoint.port, 7100);
  EXPECT_TRUE(iplist.wait([](const Heartbeat& heartbeat) {
    return heartbeat.node_id() == "gate-1" && heartbeat.boot_id() == 11 && heartbeat.role() == ROLE_GATE &&
           heartbeat.connections() == 7 && !heartbeat.draining();
  }));
  membership.stop();
  EXPECT_TRUE(iplist.wait([](const Heartbeat& heartbeat) { return heartbeat.draining(); }));
  loop.stop();
  loop.join();
  // The fake iplist must outlive the links' loop.
  (*listening)->stop();
  server_loop.stop();
  server_loop.join();
}

TEST_F(MembershipTest, WithoutIplistReportsTheFixedNodes) {
  std::promise<std::vector<Member>> reported;
  const Member node{.node_id = "logic-9", .boot_id = 0, .endpoint = {"127.0.0.1", 7100}};
  net::EventLoop loop("members");
  Membership membership(
      loop, gate, {.iplists = {}, .fixed_nodes = {node}}, [] { return Heartbeat(); },
      [&](const std::vector<Member>& members) { reported.set_value(members); });
  membership.start();
  loop.start();
  EXPECT_EQ(reported.get_future().get(), std::vector<Member>{node});
  loop.stop();
  loop.join();
}

}  // namespace
}  // namespace hongyan::link
