// How much one client may ask for, and how many clients there may be.
#include "tests/integration/gate/gate_fixture.h"

namespace hongyan::gate {
namespace {

class LimitsTest : public GateFixture {};

// Nobody is refused, and one client does not take the servers from the others.
TEST_F(LimitsTest, ReadsLaterWhatComesTooFast) {
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

TEST_F(LimitsTest, LimitsTheRate) {
  config.session.packets_per_second = 5;
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  std::uint32_t limited = 0;
  for (std::uint32_t seq = 2; seq < 14; ++seq) ASSERT_TRUE(client.send(client::COMMAND_PULL, seq, ""));
  for (std::uint32_t seq = 2; seq < 14; ++seq) {
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

TEST_F(LimitsTest, CapsConnections) {
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

TEST_F(LimitsTest, PausesReadingInsteadOfRefusing) {
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
