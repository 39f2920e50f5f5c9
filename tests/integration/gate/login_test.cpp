// Logins: who gets in, and whom logic is told of.
#include "tests/integration/gate/gate_fixture.h"

namespace hongyan::gate {
namespace {

class LoginTest : public GateFixture {};

TEST_F(LoginTest, RefusesCommandsBeforeLogin) {
  start_serving();
  for (const std::uint32_t cmd_id : {30U, 50U, 31U, 51U, 999U}) {
    PacketClient client(port());
    ASSERT_TRUE(client.send(cmd_id, 5, ""));
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value()) << cmd_id;
    EXPECT_EQ(answer->header.cmd_id, cmd_id);
    EXPECT_EQ(answer->header.seq, 5U);
    EXPECT_EQ(error_of(*answer), client::ERROR_CODE_UNAUTHENTICATED);
    EXPECT_TRUE(client.wait_closed());
  }
  EXPECT_TRUE(refused("not_logged_in", 5));
}

TEST_F(LoginTest, RefusesALoginAsSomebodyElse) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  ASSERT_TRUE(client.log_in("alice"));  // again is allowed
  ASSERT_TRUE(client.send_auth("mallory", 3));
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("other_user"));
}

TEST_F(LoginTest, FailedLoginMayBeTriedAgainAsAnotherUser) {
  start_serving();
  logic.answer_with([](FakeLogic& node, const LogicPacket& packet) {
    client::AuthResp body;
    if (packet.request.uid() == "alice") {
      body.mutable_error()->set_code(client::ERROR_CODE_UNAUTHENTICATED);
      return node.respond(packet, body.SerializeAsString(), true);
    }
    node.accept_login(packet);
  });
  PacketClient client(port());
  EXPECT_FALSE(client.log_in("alice"));
  EXPECT_TRUE(client.log_in("bob"));
}

// Answers alice's AUTH with an error, everybody else's with a login.
void refuse_alice(FakeLogic& node, const LogicPacket& packet, client::ErrorCode code) {
  if (packet.request.uid() != "alice") return node.accept_login(packet);
  client::AuthResp body;
  body.mutable_error()->set_code(code);
  node.respond(packet, body.SerializeAsString(), true);
}

TEST_F(LoginTest, ClosesWhoIsRefusedThreeTimes) {
  start_serving();
  logic.answer_with([](FakeLogic& node, const LogicPacket& packet) {
    refuse_alice(node, packet, client::ERROR_CODE_UNAUTHENTICATED);
  });
  PacketClient client(port());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.log_in(test::demo_auth("alice")).error().code(), client::ERROR_CODE_UNAUTHENTICATED);
  }
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("refused_logins"));
}

TEST_F(LoginTest, ALoginThatIsPutOffIsNotRefused) {
  start_serving();
  logic.answer_with([](FakeLogic& node, const LogicPacket& packet) {
    refuse_alice(node, packet, client::ERROR_CODE_UNAVAILABLE);
  });
  PacketClient client(port());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(client.log_in(test::demo_auth("alice")).error().code(), client::ERROR_CODE_UNAVAILABLE);
  }
  EXPECT_TRUE(client.log_in("bob"));
}

TEST_F(LoginTest, OneLoginIsUnderWayAndWhatFollowsWaits) {
  start_serving();
  logic.answer_with([](FakeLogic&, const LogicPacket&) {});
  PacketClient client(port());
  ASSERT_TRUE(client.send(packet(client::COMMAND_AUTH, 1, test::demo_auth("alice").SerializeAsString()) +
                          packet(client::COMMAND_AUTH, 2, test::demo_auth("bob").SerializeAsString())));
  const auto first = take_auth();
  ASSERT_TRUE(client.send(client::COMMAND_PULL, 3, "") && client.send(client::COMMAND_PULL, 4, ""));
  EXPECT_EQ(first.request.uid(), "alice");
  client::AuthResp body;
  body.mutable_error()->set_code(client::ERROR_CODE_UNAUTHENTICATED);
  logic.respond(first, body.SerializeAsString(), true);
  const auto second = take_auth();
  EXPECT_EQ(second.request.uid(), "bob");
  logic.answer_with({});
  logic.accept_login(second);
  for (std::uint32_t seq = 1; seq <= 4; ++seq) {
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value()) << seq;
    EXPECT_EQ(answer->header.seq, seq);
  }
}

TEST_F(LoginTest, LittleMayWaitBehindALogin) {
  start_serving();
  logic.answer_with([](FakeLogic&, const LogicPacket&) {});
  PacketClient client(port());
  std::string bytes = packet(client::COMMAND_AUTH, 1, test::demo_auth("alice").SerializeAsString());
  for (int i = 0; i < 300; ++i) bytes += packet(client::COMMAND_NOOP, 2, "");
  client.send(bytes);
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("too_early"));
}

TEST_F(LoginTest, ARenewalDoesNotWaitAndIsOneToo) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  static_cast<void>(take_auth());
  logic.answer_with([](FakeLogic& node, const LogicPacket& packet) {
    if (packet.request.cmd_id() == client::COMMAND_PULL) node.respond(packet, "OK");
  });
  ASSERT_TRUE(client.send_auth("alice", 2) && client.send_auth("alice", 3) &&
              client.send(client::COMMAND_PULL, 4, ""));
  const auto refusal = client.read();
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->header.seq, 3U);
  EXPECT_EQ(error_of(*refusal), client::ERROR_CODE_RATE_LIMITED);
  const auto pulled = client.read();
  ASSERT_TRUE(pulled.has_value());
  EXPECT_EQ(pulled->header.seq, 4U);
  logic.accept_login(take_auth());
  const auto renewed = client.read();
  ASSERT_TRUE(renewed.has_value());
  EXPECT_EQ(renewed->header.seq, 2U);
}

TEST_F(LoginTest, ClosesWhoIsTooFastBeforeTheLogin) {
  config.session.packets_per_second_before_login = 10;
  start_serving();
  for (const std::uint32_t cmd_id : {client::COMMAND_NOOP, client::COMMAND_SIGNAL_KEEP}) {
    PacketClient client(port());
    std::string bytes;
    for (std::uint32_t seq = 1; seq <= 100; ++seq) bytes += packet(cmd_id, seq, "");
    client.send(bytes);
    EXPECT_TRUE(client.wait_closed());
  }
  EXPECT_TRUE(refused("rate_limited", 2));
}

TEST_F(LoginTest, RefusesLoginsThatAreOutOfBounds) {
  config.session.max_refused_logins = 4;
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.send_auth(std::string(129, 'u'), 1));
  auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  ASSERT_TRUE(client.send_auth(std::string("a\0b", 3), 2));
  answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  ASSERT_TRUE(client.send_auth("alice", 0));  // a seq of 0
  answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  EXPECT_TRUE(client.log_in("alice"));
}

TEST_F(LoginTest, ClosesWhoDoesNotLogInInTime) {
  config.session.login_deadline = Milliseconds(200);
  start_serving();
  PacketClient silent(port());
  PacketClient chatty(port());
  const auto begin = SteadyClock::now();
  // A beginning of a packet now and then.
  for (std::size_t i = 0; !chatty.closed() && SteadyClock::now() - begin < test::kPatience; ++i) {
    chatty.send(packet(client::COMMAND_NOOP, 1, "").substr(i % 20, 1));
    static_cast<void>(chatty.read(Milliseconds(10)));
  }
  EXPECT_TRUE(chatty.wait_closed());
  EXPECT_TRUE(silent.wait_closed());
  EXPECT_TRUE(refused("login_deadline", 2));
}

TEST_F(LoginTest, TellsOfAConnectionThatEndsWhileItsLoginIsPending) {
  start_serving();
  logic.answer_with([](FakeLogic&, const LogicPacket&) {});
  PacketClient client(port());
  ASSERT_TRUE(client.send_auth("alice"));
  const auto auth = take_auth();
  client.close();
  const auto closed = logic.take(link::LINK_COMMAND_SESSION_CLOSED);
  EXPECT_EQ(closed.channel, auth.request.channel());
  EXPECT_EQ(closed.slot, auth.slot);
  // Nobody may be logged in by an answer that comes now: the owner is told again.
  logic.accept_login(auth);
  EXPECT_EQ(logic.take(link::LINK_COMMAND_SESSION_CLOSED).channel, auth.request.channel());
}

TEST_F(LoginTest, TellsOfAConnectionWhoseLoginWasNotAnsweredInTime) {
  config.forwarder.router.request_deadline = Milliseconds(100);
  start_serving();
  logic.answer_with([](FakeLogic&, const LogicPacket&) {});
  PacketClient client(port());
  ASSERT_TRUE(client.send_auth("alice"));
  const auto first = take_auth();
  auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_DEADLINE_EXCEEDED);
  // As somebody else: alice may be logged in by now.
  ASSERT_TRUE(client.send_auth("bob", 2));
  auto closed = logic.take(link::LINK_COMMAND_SESSION_CLOSED);
  EXPECT_EQ(closed.channel, first.request.channel());
  EXPECT_EQ(closed.slot, slot_of("demo", "alice"));
  ASSERT_TRUE(client.read().has_value());
  client.close();
  closed = logic.take(link::LINK_COMMAND_SESSION_CLOSED);
  EXPECT_EQ(closed.slot, slot_of("demo", "bob"));
}

TEST_F(LoginTest, ConfirmsALoginThatReplacesAnother) {
  start_serving();
  logic.answer_with([](FakeLogic&, const LogicPacket& packet) {
    link::ClientResponse response;
    response.set_login_epoch(4711);
    response.set_confirm(true);
    static_cast<void>(packet.link->send(link::LINK_COMMAND_RESPONSE, packet.seq, 0, response,
                                        client::AuthResp().SerializeAsString()));
  });
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  const auto auth = take_auth();
  const auto told = logic.take([](const LogicPacket& packet) {
    return packet.command == link::LINK_COMMAND_SESSIONS && packet.sessions.sessions_size() == 1;
  });
  ASSERT_EQ(told.sessions.sessions_size(), 1);
  EXPECT_FALSE(told.sessions.announce());
  EXPECT_EQ(told.sessions.sessions(0).channel(), auth.request.channel());
  EXPECT_EQ(told.sessions.sessions(0).login_epoch(), 4711U);
}

TEST_F(LoginTest, WhoHasGoneEndsNobodyThoughSomethingWaitedBehindTheLogin) {
  start_serving();
  logic.answer_with([](FakeLogic&, const LogicPacket&) {});
  PacketClient client(port());
  ASSERT_TRUE(client.send(packet(client::COMMAND_AUTH, 1, test::demo_auth("alice").SerializeAsString()) +
                          packet(client::COMMAND_PULL, 2, "")));
  const auto auth = take_auth();
  client.shutdown_send();
  link::ClientResponse response;
  response.set_login_epoch(4711);
  response.set_confirm(true);
  static_cast<void>(auth.link->send(link::LINK_COMMAND_RESPONSE, auth.seq, 0, response,
                                    client::AuthResp().SerializeAsString()));
  const auto told = logic.take([](const LogicPacket& packet) {
    return packet.command == link::LINK_COMMAND_SESSION_CLOSED ||
           (packet.command == link::LINK_COMMAND_SESSIONS && packet.sessions.sessions_size() > 0);
  });
  EXPECT_EQ(told.command, link::LINK_COMMAND_SESSION_CLOSED);
  EXPECT_EQ(told.channel, auth.request.channel());
}

TEST_F(LoginTest, LogsOut) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  ASSERT_TRUE(client.send(client::COMMAND_LOGOUT, 2, ""));
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "OK");
  EXPECT_TRUE(client.wait_closed());
}

}  // namespace
}  // namespace hongyan::gate
