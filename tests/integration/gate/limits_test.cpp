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

// Answers with its reason; nothing when there was no Kickout.
std::optional<client::KickReason> kick_reason(PacketClient& client) {
  for (;;) {
    const auto received = client.read();
    if (!received) return std::nullopt;
    client::Kickout kickout;
    if (received->header.cmd_id == client::COMMAND_KICKOUT && kickout.ParseFromString(received->body)) {
      return kickout.reason();
    }
  }
}

TEST_F(LimitsTest, ClosesWhoGoesOnTooFast) {
  config.session.packets_per_second = 100;
  config.session.rate_grace = Milliseconds(1000);
  start_serving();
  for (const std::uint32_t cmd_id : {6U, 999U, 31U, 243U, 70U}) {
    PacketClient client(port());
    ASSERT_TRUE(client.log_in("alice"));
    std::string flood;
    for (std::uint32_t seq = 2; seq < 1000; ++seq) flood += packet(cmd_id, seq, "");
    client.send(flood);
    EXPECT_EQ(kick_reason(client), client::KICK_REASON_RATE_LIMITED) << cmd_id;
    EXPECT_TRUE(client.wait_closed());
  }
}

TEST_F(LimitsTest, WhoIsClosedIsNotReadFrom) {
  config.session.packets_per_second = 100;
  config.session.rate_grace = Milliseconds(0);
  start_serving();
  PacketClient client(port());
  ASSERT_TRUE(client.log_in("alice"));
  std::string flood;
  for (std::uint32_t seq = 2; seq < 1000; ++seq)
    flood += packet(client::COMMAND_NOOP, seq, std::string(1000, 'x'));
  std::size_t sent = 0;
  while (client.send(flood)) sent += flood.size();
  EXPECT_LT(sent, 64U << 20);  // and the rest in the systems' buffers
}

TEST_F(LimitsTest, TheSystemKeepsLittleOfWhatAClientDoesNotRead) {
  config.session.max_unsent_bytes = 64 << 10;
  config.session.max_output_bytes = 256 << 10;
  start_serving();
  const std::string answer(50'000, 'x');
  logic.answer_with([answer](FakeLogic& node, const LogicPacket& packet) {
    if (packet.request.cmd_id() == client::COMMAND_AUTH) return node.accept_login(packet);
    node.respond(packet, answer);
  });
  PacketClient client(port(), 4096);
  ASSERT_TRUE(client.log_in("alice"));
  for (std::uint32_t seq = 2; seq < 200; ++seq) client.send(client::COMMAND_PULL, seq, "");
  for (const auto begin = SteadyClock::now(); SteadyClock::now() - begin < test::kPatience;) {
    if (refused("slow_consumer")) break;
  }
  ASSERT_TRUE(refused("slow_consumer"));
  const std::string metrics = registry.text();
  const std::string name = "\nhongyan_gate_bytes_out_total ";
  EXPECT_LT(std::stod(metrics.substr(metrics.find(name) + name.size())), 400'000);
}

// Answers that were due when it was closed wait for it no more than others.
TEST_F(LimitsTest, TheOutputLimitHoldsWhileClosing) {
  config.session.max_output_bytes = 1 << 20;
  start_serving();
  logic.answer_with([](FakeLogic& node, const LogicPacket& packet) {
    if (packet.request.cmd_id() == client::COMMAND_AUTH) node.accept_login(packet);
  });
  PacketClient client(port(), 4096);
  ASSERT_TRUE(client.log_in("alice"));
  std::vector<LogicPacket> asked;
  for (std::uint32_t seq = 2; seq < 62; ++seq) {
    ASSERT_TRUE(client.send(client::COMMAND_PULL, seq, ""));
    asked.push_back(logic.take_request(client::COMMAND_PULL));
  }
  ASSERT_TRUE(client.send(client::COMMAND_SYNC_NOTIFY, 70, ""));  // closes
  for (const auto begin = SteadyClock::now();
       !refused("server_only") && SteadyClock::now() - begin < test::kPatience;) {
  }
  const std::string answer(256 << 10, 'x');
  for (const auto& request : asked) logic.respond(request, answer);
  // What comes to the client in the end is what the gate and the system kept.
  std::size_t received = 0;
  while (const auto one = client.read()) received += one->body.size();
  EXPECT_LT(received, 3U << 20);
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
