// Pushes, kicks, and what happens when logic nodes come and go.
#include "tests/integration/gate/gate_fixture.h"

namespace hongyan::gate {
namespace {

class ForwardTest : public GateFixture {};

void only_logins(FakeLogic& node, const LogicPacket& packet) {
  if (packet.request.cmd_id() == client::COMMAND_AUTH) node.accept_login(packet);
}

TEST_F(ForwardTest, PushesToManyChannelsInOrder) {
  start_serving();
  PacketClient alice(port());
  PacketClient bob(port());
  ASSERT_TRUE(alice.log_in("alice"));
  const auto auth = take_auth();
  ASSERT_TRUE(bob.log_in("bob"));
  const auto other = take_auth();
  const std::vector<std::uint64_t> channels = {auth.request.channel(), other.request.channel()};
  const std::string large(20 << 10, 'L');
  for (int i = 0; i < 50; ++i) {
    logic.push(auth.link, channels, "small " + std::to_string(i));
    logic.push(auth.link, channels, large + std::to_string(i));
  }
  for (PacketClient* client : {&alice, &bob}) {
    for (int i = 0; i < 50; ++i) {
      const auto small = client->read();
      ASSERT_TRUE(small.has_value());
      EXPECT_EQ(small->header.seq, 0U);
      EXPECT_EQ(small->header.cmd_id, 31U);
      EXPECT_EQ(small->header.client_version, 200U);
      EXPECT_EQ(small->body, "small " + std::to_string(i));
      const auto second = client->read();
      ASSERT_TRUE(second.has_value());
      EXPECT_EQ(second->body, large + std::to_string(i));
    }
  }
}

TEST_F(ForwardTest, PushToAGoneChannelIsToldBack) {
  start_serving();
  PacketClient alice(port());
  ASSERT_TRUE(alice.log_in("alice"));
  const auto auth = take_auth();
  logic.push(auth.link, {auth.request.channel() + 77}, "lost");
  const auto gone = logic.take(link::LINK_COMMAND_GONE);
  EXPECT_EQ(gone.channel, auth.request.channel() + 77);
  EXPECT_EQ(gone.slot, 7U);  // as in the push
}

TEST_F(ForwardTest, ForwardsAcksWithoutAnswer) {
  start_serving();
  PacketClient alice(port());
  ASSERT_TRUE(alice.log_in("alice"));
  client::PushAck ack;
  ack.set_seq(12);
  ASSERT_TRUE(alice.send(client::COMMAND_C2C_PUSH, 0, ack.SerializeAsString()));
  const auto packet = logic.take_request(client::COMMAND_C2C_PUSH);
  EXPECT_EQ(packet.seq, 0U);
  EXPECT_EQ(packet.payload, ack.SerializeAsString());
  // A node that owns anew is told how far alice is.
  logic.own(0, kSlotCount - 1, 2);
  const auto told = logic.take([](const LogicPacket& one) { return one.sessions.sessions_size() == 1; });
  ASSERT_EQ(told.sessions.sessions_size(), 1);
  EXPECT_TRUE(told.sessions.announce());
  EXPECT_TRUE(told.sessions.last());
  EXPECT_EQ(told.sessions.sessions(0).uid(), "alice");
  EXPECT_EQ(told.sessions.sessions(0).acked_inbox_seq(), 12);
  EXPECT_EQ(told.sessions.sessions(0).login_epoch(), 1000U);
  EXPECT_EQ(told.sessions.sessions(0).expires_ms(), FakeLogic::kExpiresMs);
}

TEST_F(ForwardTest, AnnouncesEvenWhenThereIsNobody) {
  start_serving();
  const auto told = logic.take(link::LINK_COMMAND_SESSIONS);
  EXPECT_TRUE(told.sessions.announce());
  EXPECT_TRUE(told.sessions.last());
  EXPECT_EQ(told.sessions.sessions_size(), 0);
}

TEST_F(ForwardTest, ReportsTheLiving) {
  config.forwarder.alive_report = Milliseconds(100);
  start_serving();
  PacketClient alice(port());
  ASSERT_TRUE(alice.log_in("alice"));
  ASSERT_TRUE(alice.send(client::COMMAND_NOOP, 2, ""));
  const auto told = logic.take([](const LogicPacket& one) {
    return one.command == link::LINK_COMMAND_SESSIONS && !one.sessions.announce();
  });
  ASSERT_EQ(told.sessions.sessions_size(), 1);
  EXPECT_EQ(told.sessions.sessions(0).uid(), "alice");
  EXPECT_NEAR(static_cast<double>(told.sessions.sessions(0).last_active_ms()), static_cast<double>(wall_ms()),
              5000);
}

TEST_F(ForwardTest, KickIsDeliveredAndCloses) {
  start_serving();
  PacketClient alice(port());
  ASSERT_TRUE(alice.log_in("alice"));
  const auto auth = take_auth();
  client::Kickout kickout;
  kickout.set_reason(client::KICK_REASON_ADMIN);
  const auto begin = SteadyClock::now();
  logic.kick(auth.link, auth.request.channel(), kickout.SerializeAsString());
  const auto packet = alice.read();
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->header.cmd_id, 3U);
  EXPECT_EQ(packet->header.seq, 0U);
  EXPECT_EQ(packet->body, kickout.SerializeAsString());
  EXPECT_TRUE(alice.wait_closed());
  EXPECT_LT(SteadyClock::now() - begin, Milliseconds(1000));
  // The client keeps its side open: the gate closes all the same.
  EXPECT_EQ(logic.take(link::LINK_COMMAND_SESSION_CLOSED).channel, auth.request.channel());
  while (!metric_is("hongyan_gate_connections 0") && SteadyClock::now() - begin < test::kPatience) {
  }
  EXPECT_LT(SteadyClock::now() - begin, Milliseconds(1200));
}

TEST_F(ForwardTest, NewerLoginReplacesTheOlder) {
  start_serving();
  PacketClient older(port());
  PacketClient newer(port());
  ASSERT_TRUE(older.log_in("alice", client::DEVICE_TYPE_IOS, "phone"));
  ASSERT_TRUE(newer.log_in("alice", client::DEVICE_TYPE_ANDROID, "other phone"));
  const auto packet = older.read();
  ASSERT_TRUE(packet.has_value());
  client::Kickout kickout;
  ASSERT_TRUE(kickout.ParseFromString(packet->body));
  EXPECT_EQ(kickout.reason(), client::KICK_REASON_OTHER_LOGIN);
  EXPECT_EQ(kickout.message(), "logged in on another device");
  EXPECT_TRUE(older.wait_closed());

  PacketClient same(port());
  ASSERT_TRUE(same.log_in("alice", client::DEVICE_TYPE_ANDROID, "other phone"));
  EXPECT_FALSE(newer.read().has_value());  // silently
  EXPECT_TRUE(newer.closed());
}

TEST_F(ForwardTest, ClosesWhoDoesNotRead) {
  config.session.max_output_bytes = 256 << 10;
  start_serving();
  PacketClient slow(port(), 4096);
  ASSERT_TRUE(slow.log_in("slow"));
  const auto auth = take_auth();
  const std::string body(16 << 10, 'x');
  // More than the sockets' buffers can ever hold.
  for (int i = 0; i < 800; ++i) logic.push(auth.link, {auth.request.channel()}, body);
  EXPECT_EQ(logic.take(link::LINK_COMMAND_SESSION_CLOSED).channel, auth.request.channel());
  EXPECT_TRUE(refused("slow_consumer"));
  EXPECT_TRUE(slow.wait_closed());
}

TEST_F(ForwardTest, ClosesThoughTheKickoutItselfIsTooMuch) {
  config.session.max_output_bytes = 30;
  start_serving();
  PacketClient slow(port());
  ASSERT_TRUE(slow.log_in("slow"));
  const auto auth = take_auth();
  logic.push(auth.link, {auth.request.channel()}, std::string(100, 'x'));
  EXPECT_EQ(logic.take(link::LINK_COMMAND_SESSION_CLOSED).channel, auth.request.channel());
  const auto last = slow.read();
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->header.cmd_id, static_cast<std::uint32_t>(client::COMMAND_KICKOUT));
  EXPECT_TRUE(slow.wait_closed());
}

TEST_F(ForwardTest, HoldsWhileNobodyOwnsThenUnavailable) {
  config.forwarder.router.request_deadline = Milliseconds(300);
  start();
  PacketClient client(port());
  ASSERT_TRUE(client.send_auth("alice", 9));
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  client::ErrorOnly error;
  ASSERT_TRUE(error.ParseFromString(answer->body));
  EXPECT_EQ(error.error().code(), client::ERROR_CODE_UNAVAILABLE);
  EXPECT_EQ(error.error().retry_after_ms(), 500U);
  EXPECT_EQ(answer->header.seq, 9U);
  logic.own(0, kSlotCount - 1, 1);
  EXPECT_TRUE(client.log_in("alice"));
}

TEST_F(ForwardTest, UnansweredIsDeadlineExceeded) {
  config.forwarder.router.request_deadline = Milliseconds(300);
  start_serving();
  logic.answer_with(only_logins);
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  ASSERT_TRUE(client.send(client::COMMAND_C2C_SEND, 2, ""));
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_DEADLINE_EXCEEDED);
  EXPECT_TRUE(refused("deadline"));
}

TEST_F(ForwardTest, ForwardsAgainAfterTheLinkWasLost) {
  config.forwarder.router.request_deadline = Milliseconds(10000);
  start_serving();
  logic.answer_with(only_logins);
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  for (std::uint32_t seq = 2; seq <= 4; ++seq) ASSERT_TRUE(client.send(client::COMMAND_C2C_SEND, seq, ""));
  for (int i = 0; i < 3; ++i) static_cast<void>(logic.take_request(client::COMMAND_C2C_SEND));
  const auto logic_port = logic.port();
  logic.stop();
  ASSERT_TRUE(client.send(client::COMMAND_C2C_SEND, 5, ""));
  logic.answer_with({});
  logic.start(logic_port);
  for (std::uint32_t seq = 2; seq <= 5; ++seq) {
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value()) << seq;
    EXPECT_EQ(answer->header.seq, seq);
    EXPECT_EQ(answer->body, "OK");
  }
  // The session was announced before its requests came.
  const auto first = logic.take([](const LogicPacket& one) {
    return one.sessions.sessions_size() == 1 ||
           (one.command == link::LINK_COMMAND_REQUEST && one.request.cmd_id() == client::COMMAND_C2C_SEND);
  });
  EXPECT_EQ(first.command, link::LINK_COMMAND_SESSIONS);
}

TEST_F(ForwardTest, FollowsTheSlotToAnotherNode) {
  FakeLogic second("logic-2");
  config.common.cluster.logic_nodes.push_back({.host = "127.0.0.1", .port = second.port()});
  start_serving();
  logic.answer_with([](FakeLogic& node, const LogicPacket& packet) {
    if (packet.request.cmd_id() == client::COMMAND_AUTH) return node.accept_login(packet);
    node.respond_not_owner(packet, 2);
  });
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  ASSERT_TRUE(client.send(client::COMMAND_C2C_SEND, 2, ""));
  ASSERT_EQ(logic.take_request(client::COMMAND_C2C_SEND).command, link::LINK_COMMAND_REQUEST);
  second.own(0, kSlotCount - 1, 2);
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "OK");
  EXPECT_EQ(second.take_request(client::COMMAND_C2C_SEND).request.uid(), "alice");
}

TEST_F(ForwardTest, StopSendsClientsElsewhere) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  const auto begin = SteadyClock::now();
  gate->stop();
  EXPECT_LT(SteadyClock::now() - begin, Milliseconds(3500));
  const auto packet = client.read();
  ASSERT_TRUE(packet.has_value());
  client::Kickout kickout;
  ASSERT_TRUE(kickout.ParseFromString(packet->body));
  EXPECT_EQ(kickout.reason(), client::KICK_REASON_SERVER_DRAIN);
  EXPECT_LE(kickout.reconnect_after_ms(), 10000U);
  EXPECT_TRUE(client.wait_closed());
  EXPECT_EQ(logic.take(link::LINK_COMMAND_SESSION_CLOSED).command, link::LINK_COMMAND_SESSION_CLOSED);
}

TEST_F(ForwardTest, RefusedPortIsAnErrorAtStart) {
  start_serving();
  config.tcp.port = port();
  config.common.metrics.listen = {};
  metrics::Registry other_registry;
  metrics::Health other_health;
  Gate second(config, other_registry, other_health);
  const auto started = second.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_NE(started.error().message.find("Address already in use"), std::string::npos);
}

}  // namespace
}  // namespace hongyan::gate
