// What one client may do, and what it may not.
#include <algorithm>

#include "tests/integration/gate/gate_fixture.h"

namespace hongyan::gate {
namespace {

class SessionTest : public GateFixture {};

std::string header(std::uint32_t header_length, std::uint32_t body_length, std::uint32_t cmd_id = 1) {
  std::string out;
  net::append_packet(out, 200, cmd_id, 1, "");
  const auto put = [&out](std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<char>(value >> (24 - 8 * i));
  };
  put(0, header_length);
  put(16, body_length);
  return out;
}

TEST_F(SessionTest, LogsInAndForwards) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  const auto auth = take_auth();
  EXPECT_EQ(auth.request.app_id(), "demo");
  EXPECT_EQ(auth.request.uid(), "alice");
  EXPECT_EQ(auth.slot, slot_of("demo", "alice"));

  client::C2CSendReq body;
  body.set_to("bob");
  body.set_content(std::string("\0\xff", 2));
  ASSERT_TRUE(client.send(client::COMMAND_C2C_SEND, 0xFFFFFFFF, body.SerializeAsString()));
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.cmd_id, 30U);
  EXPECT_EQ(answer->header.seq, 0xFFFFFFFFU);
  EXPECT_EQ(answer->header.client_version, 200U);
  EXPECT_EQ(answer->body, "OK");
  const auto request = logic.take_request(client::COMMAND_C2C_SEND);
  EXPECT_EQ(request.payload, body.SerializeAsString());
  EXPECT_EQ(request.request.channel(), auth.request.channel());
  EXPECT_EQ(request.request.device_type(), 1U);
}

TEST_F(SessionTest, AnswersNoopAndIgnoresSignalKeep) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.send(client::COMMAND_SIGNAL_KEEP, 3, "anything"));
  ASSERT_TRUE(client.send(client::COMMAND_NOOP, 0xFFFFFFFF, ""));
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.cmd_id, 6U);
  EXPECT_EQ(answer->header.seq, 0xFFFFFFFFU);
  EXPECT_EQ(answer->body, "");
}

TEST_F(SessionTest, ClosesOnHostileHeaders) {
  start_serving();
  for (const auto& bytes : {header(19, 0), header(65, 0), header(0xFFFFFFFF, 0)}) {
    PacketClient client(port());
    client.send_bytes(bytes);
    EXPECT_TRUE(client.wait_closed());
  }
  EXPECT_TRUE(refused("bad_header", 3));
  for (const auto& bytes : {header(20, 4097), header(20, 0xFFFFFFFF)}) {
    PacketClient client(port());
    client.send_bytes(bytes);
    EXPECT_TRUE(client.wait_closed());
  }
  EXPECT_TRUE(refused("body_too_large", 2));
}

TEST_F(SessionTest, AllowsLargerBodiesAfterLogin) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  client::C2CSendReq body;
  body.set_content(std::string(60 << 10, 'x'));
  ASSERT_TRUE(client.send(client::COMMAND_C2C_SEND, 2, body.SerializeAsString()));
  ASSERT_TRUE(client.read().has_value());
  client.send_bytes(header(20, (64 << 10) + 1, 30));
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("body_too_large"));
}

TEST_F(SessionTest, RefusesCommandsBeforeLogin) {
  start_serving();
  for (const std::uint32_t cmd_id : {30U, 50U, 31U, 51U, 999U}) {
    PacketClient client(port());
    ASSERT_TRUE(client.send(cmd_id, 5, ""));
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value()) << cmd_id;
    EXPECT_EQ(answer->header.cmd_id, cmd_id);
    EXPECT_EQ(answer->header.seq, 5U);
    EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_UNAUTHENTICATED);
    EXPECT_TRUE(client.wait_closed());
  }
  EXPECT_TRUE(refused("not_logged_in", 5));
}

TEST_F(SessionTest, RefusesVersionsOutOfRange) {
  config.session.min_client_version = 100;
  config.session.max_client_version = 300;
  start_serving();
  for (const std::uint32_t version : {99U, 301U}) {
    PacketClient client(port());
    ASSERT_TRUE(client.send(client::COMMAND_NOOP, 5, "", version));
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_VERSION_UNSUPPORTED);
    EXPECT_EQ(answer->header.client_version, version);
    EXPECT_TRUE(client.wait_closed());
  }
}

TEST_F(SessionTest, ClosesAfterTenUnparsableBodiesInARow) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  for (std::uint32_t seq = 1; seq <= 9; ++seq) {
    ASSERT_TRUE(client.send(client::COMMAND_C2C_SEND, seq, "\x0a\x05zz"));
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  }
  ASSERT_TRUE(client.send(client::COMMAND_PULL, 10, ""));  // a good one between
  ASSERT_TRUE(client.read().has_value());
  for (std::uint32_t seq = 11; seq <= 20; ++seq) client.send(client::COMMAND_C2C_SEND, seq, "\x0a\x05zz");
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("unparsable", 19));
  EXPECT_TRUE(refused("many_unparsable"));
}

TEST_F(SessionTest, RefusesWhatOnlyTheServerSends) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  ASSERT_TRUE(client.send(client::COMMAND_KICKOUT, 2, ""));  // allowed: an empty answer
  ASSERT_TRUE(client.send(999, 3, "x"));
  auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.seq, 3U);
  EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_UNKNOWN_COMMAND);
  ASSERT_TRUE(client.send(client::COMMAND_SYNC_NOTIFY, 4, ""));
  answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  EXPECT_TRUE(client.wait_closed());
}

TEST_F(SessionTest, AnswersItselfWhatIsNotServedAndWhatIsNoCommand) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  for (const std::uint32_t cmd_id : {70U, 999U, 1001U}) {
    ASSERT_TRUE(client.send(cmd_id, 5, ""));
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value()) << cmd_id;
    EXPECT_EQ(answer->header.cmd_id, cmd_id);
    EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_UNKNOWN_COMMAND) << cmd_id;
  }
  EXPECT_TRUE(refused("unknown", 3));
  EXPECT_FALSE(client.closed());
}

TEST_F(SessionTest, RefusesALoginAsSomebodyElse) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  ASSERT_TRUE(client.log_in("alice"));  // again is allowed
  ASSERT_TRUE(client.send_auth("mallory", 3));
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("other_user"));
}

TEST_F(SessionTest, FailedLoginMayBeTriedAgainAsAnotherUser) {
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

TEST_F(SessionTest, RefusesLoginsThatAreOutOfBounds) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.send_auth(std::string(129, 'u'), 1));
  auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  ASSERT_TRUE(client.send_auth(std::string("a\0b", 3), 2));
  answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  ASSERT_TRUE(client.send_auth("alice", 0));  // a seq of 0
  answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  EXPECT_TRUE(client.log_in("alice"));
}

TEST_F(SessionTest, ClosesWhoDoesNotLogInInTime) {
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

TEST_F(SessionTest, ClosesWhoIsSilentForOneAndAHalfHeartbeats) {
  config.session.heartbeat = Milliseconds(200);
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  const auto auth = take_auth();
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("heartbeat"));
  EXPECT_EQ(logic.take(link::LINK_COMMAND_SESSION_CLOSED).channel, auth.request.channel());
}

TEST_F(SessionTest, TellsOfAConnectionThatEndsWhileItsLoginIsPending) {
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

TEST_F(SessionTest, TellsOfAConnectionWhoseLoginWasNotAnsweredInTime) {
  config.forwarder.router.request_deadline = Milliseconds(100);
  start_serving();
  logic.answer_with([](FakeLogic&, const LogicPacket&) {});
  PacketClient client(port());
  ASSERT_TRUE(client.send_auth("alice"));
  const auto first = take_auth();
  auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(PacketClient::error_of(*answer), client::ERROR_CODE_DEADLINE_EXCEEDED);
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

TEST_F(SessionTest, ConfirmsALoginThatReplacesAnother) {
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

TEST_F(SessionTest, LogsOut) {
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  ASSERT_TRUE(client.send(client::COMMAND_LOGOUT, 2, ""));
  const auto answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "OK");
  EXPECT_TRUE(client.wait_closed());
}

// Nobody is refused, and one client does not take the servers from the others.
TEST_F(SessionTest, ReadsLaterWhatComesTooFast) {
  config.session.requests_per_second = 20;
  start_serving();
  const auto begin = SteadyClock::now();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  for (std::uint32_t seq = 2; seq < 45; ++seq) ASSERT_TRUE(client.send(client::COMMAND_PULL, seq, ""));
  for (std::uint32_t seq = 2; seq < 45; ++seq) {
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->header.seq, seq);
    EXPECT_EQ(answer->body, "OK");
  }
  EXPECT_GE(SteadyClock::now() - begin, Milliseconds(1000));
  // Closing while some of it is held.
  for (std::uint32_t seq = 45; seq < 60; ++seq) ASSERT_TRUE(client.send(client::COMMAND_PULL, seq, ""));
  PacketClient other(port());
  ASSERT_TRUE(other.log_in("bob"));
}

TEST_F(SessionTest, LimitsTheRate) {
  config.session.packets_per_second = 5;
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  std::uint32_t limited = 0;
  for (std::uint32_t seq = 2; seq < 12; ++seq) ASSERT_TRUE(client.send(client::COMMAND_PULL, seq, ""));
  for (std::uint32_t seq = 2; seq < 12; ++seq) {
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value());
    client::ErrorOnly error;
    if (answer->body == "OK" || !error.ParseFromString(answer->body)) continue;
    EXPECT_EQ(error.error().code(), client::ERROR_CODE_RATE_LIMITED);
    EXPECT_GT(error.error().retry_after_ms(), 0U);
    ++limited;
  }
  EXPECT_GE(limited, 5U);
  EXPECT_FALSE(client.closed());
}

TEST_F(SessionTest, CapsConnections) {
  config.max_connections_per_address = 2;
  start_serving();
  PacketClient one(port());
  PacketClient two(port());
  ASSERT_TRUE(one.log_in("alice"));
  ASSERT_TRUE(two.log_in("bob"));
  {
    PacketClient three(port());
    EXPECT_TRUE(three.wait_closed());
    EXPECT_TRUE(refused("address"));
  }
  two.close();
  // Its place is free once the gate has seen the end.
  static_cast<void>(logic.take(link::LINK_COMMAND_SESSION_CLOSED));
  bool in = false;
  for (const auto begin = SteadyClock::now(); !in && SteadyClock::now() - begin < test::kPatience;) {
    PacketClient again(port());
    in = again.log_in("bob");
  }
  EXPECT_TRUE(in);
}

TEST_F(SessionTest, PausesReadingInsteadOfRefusing) {
  config.session.max_in_flight = 4;
  start_serving();
  logic.answer_with([](FakeLogic& node, const LogicPacket& packet) {
    if (packet.request.cmd_id() == client::COMMAND_AUTH) node.accept_login(packet);
  });
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  client::C2CSendReq body;
  body.set_content(std::string(16 << 10, 'x'));
  constexpr std::uint32_t kMany = 40;
  for (std::uint32_t seq = 2; seq < 2 + kMany; ++seq) {
    ASSERT_TRUE(client.send(client::COMMAND_C2C_SEND, seq, body.SerializeAsString()));
  }
  // Answers free the way for the next ones, in order.
  for (std::uint32_t seq = 2; seq < 2 + kMany; ++seq) {
    const auto request = logic.take_request(client::COMMAND_C2C_SEND);
    ASSERT_EQ(request.command, link::LINK_COMMAND_REQUEST) << seq;
    logic.respond(request, "OK");
    const auto answer = client.read();
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(answer->header.seq, seq);
    ASSERT_EQ(answer->body, "OK");
  }
}

}  // namespace
}  // namespace hongyan::gate
