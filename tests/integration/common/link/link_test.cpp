// Links between two ends on loopback.
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <random>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "common/link/link_client.h"
#include "common/link/link_server.h"
#include "common/link/membership.h"
#include "common/net/packet.h"
#include "proto/parse.h"

namespace hongyan::link {
namespace {

constexpr Milliseconds kPatience{10000};

// Remembers what happens, from any number of links.
class Recorder : public LinkHandler {
 public:
  struct Received {
    LinkPtr link;
    LinkCommand command;
    std::uint32_t seq;
    std::string payload;
  };

  void on_link_up(const LinkPtr& link) override {
    const std::lock_guard lock(mutex_);
    up_.push_back(link);
    ++ups_;
    changed_.notify_all();
  }
  void on_link_packets(const LinkPtr& link, std::span<const LinkPacket> packets) override {
    {
      const std::lock_guard lock(mutex_);
      for (const auto& packet : packets) {
        packets_.push_back({link, packet.command, packet.seq, std::string(packet.payload)});
      }
      changed_.notify_all();
    }
    if (!echo) return;
    for (const auto& packet : packets) {
      EXPECT_TRUE(link->send(LINK_COMMAND_RESPONSE, packet.seq, 0, ClientResponse(), packet.payload));
    }
  }
  void on_link_down(const LinkPtr& link) override {
    const std::lock_guard lock(mutex_);
    std::erase(up_, link);
    ++downs_;
    changed_.notify_all();
  }

  template <typename Done>
  [[nodiscard]] bool wait(Done done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, done);
  }
  [[nodiscard]] LinkPtr wait_up(int count = 1) {
    if (!wait([this, count] { return ups_ >= count && !up_.empty(); })) return nullptr;
    const std::lock_guard lock(mutex_);
    return up_.back();
  }
  [[nodiscard]] bool wait_downs(int count) {
    return wait([this, count] { return downs_ >= count; });
  }
  [[nodiscard]] bool wait_packets(std::size_t count) {
    return wait([this, count] { return packets_.size() >= count; });
  }
  [[nodiscard]] std::vector<Received> packets() {
    const std::lock_guard lock(mutex_);
    return packets_;
  }
  [[nodiscard]] int ups() {
    const std::lock_guard lock(mutex_);
    return ups_;
  }

  std::atomic<bool> echo{false};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<LinkPtr> up_;
  std::vector<Received> packets_;
  int ups_ = 0;
  int downs_ = 0;
};

class LinkTest : public testing::Test {
 protected:
  LinkTest() {
    server_loop.start();
    client_loop.start();
  }
  ~LinkTest() override {
    if (client) client->stop();
    if (server) server->stop();
    for (net::EventLoop* loop : {&client_loop, &server_loop}) {
      loop->stop();
      loop->join();
    }
  }

  std::uint16_t start_server(LinkOptions options = {}, std::uint16_t port = 0) {
    auto started = LinkServer::start({&server_loop}, "127.0.0.1", port, logic, server_side, options);
    EXPECT_TRUE(started.has_value()) << started.error().message;
    server = std::move(*started);
    return server->port();
  }
  // Waits until the loop has run what was posted to it.
  static void fence(net::EventLoop& loop) {
    auto ran = std::make_shared<std::promise<void>>();
    loop.post([ran] { ran->set_value(); });
    ran->get_future().wait();
  }
  // Its port refuses when this returns.
  void stop_server() {
    server->stop();
    fence(server_loop);
  }
  void start_client(std::uint16_t port, LinkOptions options = {}) {
    client = LinkClient::start(client_loop, {"127.0.0.1", port}, gate, client_side, 3, options);
  }

  Identity gate{.role = ROLE_GATE, .node_id = "gate-1", .boot_id = 11, .secret = "the secret"};
  Identity logic{.role = ROLE_LOGIC, .node_id = "logic-1", .boot_id = 22, .secret = "the secret"};
  net::EventLoop server_loop{"server"};
  net::EventLoop client_loop{"client"};
  Recorder server_side;  // after the loops: they keep links
  Recorder client_side;
  std::shared_ptr<LinkServer> server;
  std::shared_ptr<LinkClient> client;
};

// A stranger's blocking socket.
class Stranger {
 public:
  explicit Stranger(std::uint16_t port) {
    socket_.connect({net::asio::ip::address_v4::loopback(), port});
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  void send(std::string_view bytes) {
    net::error_code ignored;
    net::asio::write(socket_, net::asio::buffer(bytes), ignored);
  }
  // One packet; "" when the peer has closed.
  std::string read() {
    char bytes[net::kHeaderSize];
    net::error_code ec;
    net::asio::read(socket_, net::asio::buffer(bytes), ec);
    if (ec) return {};
    std::string out(bytes, sizeof(bytes));
    out.resize(sizeof(bytes) + net::read_header(bytes).body_length);
    net::asio::read(socket_, net::asio::buffer(out.data() + sizeof(bytes), out.size() - sizeof(bytes)), ec);
    return ec ? std::string() : out;
  }
  bool wait_closed() {
    char byte = 0;
    for (;;) {
      const ssize_t count = ::recv(socket_.native_handle(), &byte, 1, 0);
      if (count == 1) continue;
      return count == 0 || errno == ECONNRESET;
    }
  }

 private:
  net::asio::io_context context_;
  net::TcpSocket socket_{context_.get_executor()};
};

TEST_F(LinkTest, BothSidesLearnWhoTheOtherIs) {
  start_client(start_server());
  const LinkPtr near = client_side.wait_up();
  const LinkPtr far = server_side.wait_up();
  ASSERT_TRUE(near && far);
  EXPECT_EQ(near->peer().node_id, "logic-1");
  EXPECT_EQ(near->peer().role, ROLE_LOGIC);
  EXPECT_EQ(near->peer().boot_id, 22U);
  EXPECT_EQ(far->peer().node_id, "gate-1");
  EXPECT_EQ(far->peer().worker, 3U);
}

TEST_F(LinkTest, WrongSecretIsRefusedByBothSides) {
  gate.secret = "another secret";
  start_client(start_server());
  // It connects again and again, in vain: a right one after it still gets in.
  Identity other = logic;
  other.node_id = "logic-2";
  Recorder other_side;
  auto right = LinkClient::start(client_loop, {"127.0.0.1", server->port()}, other, other_side, 0);
  ASSERT_TRUE(other_side.wait_up());
  ASSERT_TRUE(server_side.wait_up());
  EXPECT_EQ(server_side.ups(), 1);
  EXPECT_EQ(client_side.ups(), 0);
  right->stop();
  EXPECT_TRUE(server_side.wait_downs(1));
  EXPECT_TRUE(other_side.wait_downs(1));
}

TEST_F(LinkTest, StrangersGarbageCloses) {
  const auto port = start_server();
  std::mt19937 random(1);
  for (const std::size_t size : {1000U, 100'000U}) {
    std::string noise(size, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    Stranger stranger(port);
    stranger.send(noise);
    EXPECT_TRUE(stranger.wait_closed());
  }
  Stranger http(port);
  http.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(http.wait_closed());
  std::string early;
  append_frame(early, LINK_COMMAND_PUSH, 0, 0, Push(), "too early");
  Stranger impatient(port);
  impatient.send(early);
  EXPECT_TRUE(impatient.wait_closed());
  EXPECT_EQ(server_side.ups(), 0);
}

TEST_F(LinkTest, SilentStrangerIsClosedAtTheDeadline) {
  Stranger stranger(start_server({.hello_deadline = Milliseconds(100)}));
  EXPECT_TRUE(stranger.wait_closed());
}

TEST_F(LinkTest, ReplayedProofIsRefused) {
  const auto port = start_server();
  // A full hello of a true member, as an eavesdropper would have recorded it.
  const Hello mine = make_hello(gate, 0);
  const auto frame = [](LinkCommand command, const google::protobuf::MessageLite& message) {
    std::string out;
    append_frame(out, command, 0, 0, message, {});
    return out;
  };
  const auto shake = [&](const std::string* recorded) {
    Stranger stranger(port);
    stranger.send(frame(LINK_COMMAND_HELLO, mine));
    const std::string hello = stranger.read();
    std::vector<LinkPacket> packets;
    EXPECT_TRUE(split_frames(hello, packets).has_value());
    Hello theirs;
    EXPECT_TRUE(parse(theirs, packets[0].envelope));
    Proof proof;
    proof.set_mac(make_proof(gate.secret, Side::kClient, mine, theirs));
    const std::string bytes = recorded != nullptr ? *recorded : frame(LINK_COMMAND_PROOF, proof);
    stranger.send(bytes);
    const bool accepted = !stranger.read().empty();
    return std::pair(accepted, bytes);
  };
  const auto [accepted, recorded] = shake(nullptr);
  EXPECT_TRUE(accepted);
  EXPECT_FALSE(shake(&recorded).first);
}

TEST_F(LinkTest, ReflectedProofIsRefused) {
  const auto port = start_server();
  Stranger stranger(port);
  const std::string hello = stranger.read();
  ASSERT_FALSE(hello.empty());
  stranger.send(hello);  // its own hello back: same node, same nonce
  std::string proof;
  append_frame(proof, LINK_COMMAND_PROOF, 0, 0, Proof(), {});
  stranger.send(proof);
  EXPECT_TRUE(stranger.wait_closed());
  EXPECT_EQ(server_side.ups(), 0);
}

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
  start_client(start_server(options), options);
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

TEST_F(LinkTest, MembershipReportsLogicNodesAndSaysGoodbye) {
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

TEST_F(LinkTest, MembershipWithoutIplistReportsTheFixedNodes) {
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
