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
    client.send(bytes);
    EXPECT_TRUE(client.wait_closed());
  }
  EXPECT_TRUE(refused("bad_header", 3));
  for (const auto& bytes : {header(20, 4097), header(20, 0xFFFFFFFF)}) {
    PacketClient client(port());
    client.send(bytes);
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
  client.send(header(20, (64 << 10) + 1, 30));
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("body_too_large"));
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
    EXPECT_EQ(error_of(*answer), client::ERROR_CODE_VERSION_UNSUPPORTED);
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
    EXPECT_EQ(error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
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
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_UNKNOWN_COMMAND);
  ASSERT_TRUE(client.send(client::COMMAND_SYNC_NOTIFY, 4, ""));
  answer = client.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
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
    EXPECT_EQ(error_of(*answer), client::ERROR_CODE_UNKNOWN_COMMAND) << cmd_id;
  }
  EXPECT_TRUE(refused("unknown", 3));
  EXPECT_FALSE(client.closed());
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

}  // namespace
}  // namespace hongyan::gate
