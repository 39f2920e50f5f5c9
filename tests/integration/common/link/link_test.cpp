// What goes over a link, and how it ends.
#include <random>

#include "tests/integration/common/link/link_fixture.h"

namespace hongyan::link {
namespace {

class LinkTest : public LinkFixture {};

TEST_F(LinkTest, ManyPacketsKeepTheirOrderBothWays) {
  server_side.echo = true;
  start_client(start_server());
  const LinkPtr link = client_side.wait_up();
  ASSERT_TRUE(link);
  constexpr std::uint32_t kMany = 20'000;
  std::mt19937 random(2);
  std::vector<std::string> bodies;
  for (std::uint32_t i = 0; i < kMany; ++i) {
    bodies.emplace_back(i % 1000 == 0 ? 200'000 : random() % 200, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(link->send(LINK_COMMAND_REQUEST, i, 0, ClientRequest(), bodies.back()));
  }
  ASSERT_TRUE(server_side.wait_packets(kMany));
  ASSERT_TRUE(client_side.wait_packets(kMany));
  const auto there = server_side.packets();
  const auto back = client_side.packets();
  for (std::uint32_t i = 0; i < kMany; ++i) {
    ASSERT_EQ(there[i].seq, i);
    ASSERT_EQ(there[i].payload, bodies[i]) << i;
    ASSERT_EQ(back[i].seq, i);
    ASSERT_EQ(back[i].payload, bodies[i]) << i;
  }
}

TEST_F(LinkTest, ConnectsAgainWhenTheServerComesBack) {
  const auto port = start_server();
  start_client(port);
  ASSERT_TRUE(client_side.wait_up(1));
  ASSERT_TRUE(server_side.wait_up(1));
  stop_server();
  ASSERT_TRUE(client_side.wait_downs(1));
  ASSERT_TRUE(server_side.wait_downs(1));
  start_server({}, port);
  ASSERT_TRUE(client_side.wait_up(2));
  ASSERT_TRUE(server_side.wait_up(2));
}

TEST_F(LinkTest, ConnectsWhenTheServerStartsLater) {
  const auto port = start_server();
  stop_server();
  start_client(port);
  start_server({}, port);
  EXPECT_TRUE(client_side.wait_up());
}

TEST_F(LinkTest, RefusesPastTheQueueLimit) {
  start_client(start_server(), {.max_pending_bytes = 1 << 20});
  const LinkPtr link = client_side.wait_up();
  ASSERT_TRUE(link && server_side.wait_up());
  // Nobody reads while the server's loop is busy.
  std::promise<void> release;
  std::promise<void> busy;
  server_loop.post([&] {
    busy.set_value();
    release.get_future().wait();
  });
  busy.get_future().wait();
  const std::string body(64 << 10, 'x');
  std::size_t accepted = 0;
  while (accepted < 10'000 &&
         link->send(LINK_COMMAND_REQUEST, static_cast<std::uint32_t>(accepted), 0, ClientRequest(), body)) {
    ++accepted;
  }
  EXPECT_LT(accepted, 10'000U);
  EXPECT_TRUE(link->is_open());
  release.set_value();
  EXPECT_TRUE(server_side.wait_packets(accepted));
  EXPECT_EQ(server_side.packets().back().seq, accepted - 1);
}

TEST_F(LinkTest, SilentPeerIsDroppedAfterMissedPings) {
  const LinkOptions options{.ping_interval = Milliseconds(50), .missed_pings = 3};
  start_client(start_server(), options);
  ASSERT_TRUE(client_side.wait_up() && server_side.wait_up());
  std::promise<void> release;
  server_loop.post([&] { release.get_future().wait(); });
  EXPECT_TRUE(client_side.wait_downs(1));
  release.set_value();
  EXPECT_TRUE(client_side.wait_up(2));
}

TEST_F(LinkTest, PingsKeepAnIdleLink) {
  const LinkOptions options{.ping_interval = Milliseconds(20), .missed_pings = 3};
  start_client(start_server({.link = options}), options);
  const LinkPtr link = client_side.wait_up();
  ASSERT_TRUE(link && server_side.wait_up());
  // Far more than three intervals pass for both: the timer below runs on the client's loop like the pings.
  std::promise<void> passed;
  net::Timer timer(client_loop.executor());
  client_loop.post([&] {
    timer.expires_after(Milliseconds(400));
    timer.async_wait([&](net::error_code) { passed.set_value(); });
  });
  passed.get_future().wait();
  EXPECT_TRUE(link->is_open());
  EXPECT_EQ(client_side.ups(), 1);
}

TEST_F(LinkTest, SendOnAClosedLinkIsFalse) {
  start_client(start_server());
  const LinkPtr link = client_side.wait_up();
  ASSERT_TRUE(link);
  link->close("test");
  EXPECT_FALSE(link->send(LINK_COMMAND_PING, 1, 0, Proof()));
  EXPECT_TRUE(client_side.wait_downs(1));
  EXPECT_TRUE(client_side.wait_up(2));
}

}  // namespace
}  // namespace hongyan::link
