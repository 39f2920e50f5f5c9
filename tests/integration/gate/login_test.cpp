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

TEST_F(LoginTest, RefusesLoginsThatAreOutOfBounds) {
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
  while (chatty.send(client::COMMAND_NOOP, 1, "") && SteadyClock::now() - begin < test::kPatience) {
    static_cast<void>(chatty.read(Milliseconds(50)));
    if (chatty.closed()) break;
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
