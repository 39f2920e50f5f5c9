// WebSocket: packets in messages, and what is no WebSocket or forbidden by it.
#include "tests/integration/gate/gate_fixture.h"
#include "tests/support/ws_client.h"

namespace hongyan::gate {
namespace {

using test::WsClient;
using test::WsFrame;

class WsTest : public GateFixture {
 protected:
  [[nodiscard]] std::uint16_t ws_port() const { return gate->port(TransportKind::kWs); }
  // A client beside the hostile one is served as ever.
  void expect_undisturbed(PacketClient& other) {
    ASSERT_TRUE(other.send(client::COMMAND_NOOP, ++seq_, ""));
    const auto answer = other.read();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->header.seq, seq_);
  }

 private:
  std::uint32_t seq_ = 100;
};

TEST_F(WsTest, CarriesPacketsBothWays) {
  start_serving();
  WsClient client(ws_port());
  ASSERT_TRUE(client.log_in("alice"));
  const auto auth = take_auth();
  EXPECT_EQ(auth.request.uid(), "alice");

  client::C2CSendReq body;
  body.set_to("bob");
  body.set_content(std::string(60 << 10, 'x') + std::string("\0\xff", 2));
  ASSERT_TRUE(client.send_packet(client::COMMAND_C2C_SEND, 7, body.SerializeAsString()));
  const auto answer = client.read_frame();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->opcode(), WsOpcode::kBinary);
  EXPECT_FALSE(answer->masked);
  EXPECT_EQ(answer->payload, packet(client::COMMAND_C2C_SEND, 7, "OK"));
  EXPECT_EQ(logic.take_request(client::COMMAND_C2C_SEND).payload, body.SerializeAsString());

  for (const std::size_t size : {0, 105, 106, 65515, 65516, 300'000}) {
    const std::string pushed(size, 'p');
    logic.push(auth.link, {auth.request.channel()}, pushed);
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame.has_value()) << size;
    EXPECT_EQ(frame->payload, packet(client::COMMAND_C2C_PUSH, 0, pushed)) << size;
  }
}

TEST_F(WsTest, TakesTheRequestAndFramesByteByByte) {
  start_serving();
  WsClient client(ws_port());
  const std::string bytes = WsClient::request() + WsFrame{.payload = WsClient::auth("alice")}.encode() +
                            WsFrame{.first = 0x02, .payload = packet(6, 9, "").substr(0, 5)}.encode() +
                            WsFrame{.first = 0x89, .payload = "between"}.encode() +
                            WsFrame{.first = 0x00, .payload = ""}.encode() +
                            WsFrame{.first = 0x80, .payload = packet(6, 9, "").substr(5)}.encode();
  for (const char c : bytes) ASSERT_TRUE(client.send({&c, 1}));
  ASSERT_EQ(client.read_status(), 101);
  bool pong = false;
  bool noop = false;
  for (int i = 0; i < 3; ++i) {
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame.has_value());
    pong = pong || (frame->opcode() == WsOpcode::kPong && frame->payload == "between");
    noop = noop || frame->payload == packet(6, 9, "");
  }
  EXPECT_TRUE(pong);
  EXPECT_TRUE(noop);
}

// A proxy on the way ends what is silent for long.
TEST_F(WsTest, PingsAndIsNotMisledByPongs) {
  config.websocket.ping_interval = Milliseconds(100);
  config.session.heartbeat = Milliseconds(2000);
  start_serving();
  WsClient client(ws_port());
  ASSERT_TRUE(client.log_in("alice"));
  int pings = 0;
  bool noop = false;
  for (auto frame = client.read_frame(); frame && frame->opcode() != WsOpcode::kClose;
       frame = client.read_frame()) {
    noop = noop || frame->payload == packet(client::COMMAND_NOOP, 5, "");
    if (frame->opcode() != WsOpcode::kPing) continue;
    EXPECT_FALSE(frame->masked);
    ASSERT_LT(++pings, 100) << "lives by its pongs";
    if (!client.send(WsFrame{.first = 0x8A, .payload = frame->payload}.encode())) break;
    if (pings == 1) ASSERT_TRUE(client.send_packet(client::COMMAND_NOOP, 5, ""));
  }
  EXPECT_GT(pings, 1);
  EXPECT_TRUE(noop);
}

TEST_F(WsTest, WhoAnswersNoPingsIsGone) {
  config.websocket.ping_interval = Milliseconds(100);
  start_serving();
  WsClient client(ws_port());
  ASSERT_TRUE(client.log_in("alice"));
  const auto auth = take_auth();
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("pong"));
  EXPECT_EQ(logic.take(link::LINK_COMMAND_SESSION_CLOSED).channel, auth.request.channel());
}

TEST_F(WsTest, PingsAreLimitedToo) {
  start_serving();
  WsClient client(ws_port());
  ASSERT_TRUE(client.log_in("alice"));
  const std::string ping = WsFrame{.first = 0x89, .payload = "x"}.encode();
  std::string flood;
  for (int i = 0; i < 10'000; ++i) flood += ping;
  client.send(flood);
  EXPECT_EQ(client.read_close_code(), 1008);
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("bad_framing"));
}

TEST_F(WsTest, AnswersAProbe) {
  start_serving();
  WsClient client(ws_port());
  ASSERT_TRUE(client.send("GET /healthz HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(client.read_status(), 200);
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(refused("bad_framing", 0));
}

TEST_F(WsTest, AnswersTheClosingHandshake) {
  start_serving();
  WsClient client(ws_port());
  ASSERT_TRUE(client.log_in("alice"));
  ASSERT_TRUE(client.send({.first = 0x88, .payload = "\x03\xE9"}));
  EXPECT_EQ(client.read_close_code(), 1001);
  EXPECT_TRUE(client.wait_closed());
  EXPECT_EQ(logic.take(link::LINK_COMMAND_SESSION_CLOSED).channel, take_auth().request.channel());
}

TEST_F(WsTest, SaysGoodbyeAfterTheLastPacket) {
  start_serving();
  WsClient client(ws_port());
  ASSERT_TRUE(client.log_in("alice"));
  const auto auth = take_auth();
  logic.kick(auth.link, auth.request.channel(), "kickout");
  const auto kick = client.read_frame();
  ASSERT_TRUE(kick.has_value());
  EXPECT_EQ(kick->payload, packet(client::COMMAND_KICKOUT, 0, "kickout"));
  EXPECT_EQ(client.read_close_code(), 1000);
  EXPECT_TRUE(client.wait_closed());
}

TEST_F(WsTest, RefusesWhatNoWebSocketClientSends) {
  start_serving();
  PacketClient other(port());
  ASSERT_TRUE(other.log_in("bystander"));
  struct Row {
    const char* what;
    std::string bytes;
    int code;
  };
  const std::string noop = packet(client::COMMAND_NOOP, 1, "");
  std::string fragments = WsFrame{.first = 0x02, .payload = ""}.encode();
  for (std::uint32_t i = 0; i < WsDecoder::kMostFragments; ++i) {
    fragments += WsFrame{.first = 0x00, .payload = ""}.encode();
  }
  std::string long_fragments =
      WsFrame{.first = 0x02, .payload = packet(6, 1, std::string(4000, 'x'))}.encode();
  long_fragments += WsFrame{.first = 0x00, .payload = std::string(4000, 'x')}.encode();
  std::string bad_header = noop;
  bad_header[3] = 19;
  std::string announces_more = noop;
  announces_more[19] = 1;
  const std::vector<Row> rows = {
      {"unmasked", WsFrame{.payload = noop, .masked = false}.encode(), 1002},
      {"reserved bit 1, as of compression", WsFrame{.first = 0xC2, .payload = noop}.encode(), 1002},
      {"reserved bit 2", WsFrame{.first = 0xA2, .payload = noop}.encode(), 1002},
      {"reserved bit 3", WsFrame{.first = 0x92, .payload = noop}.encode(), 1002},
      {"unknown opcode", WsFrame{.first = 0x83, .payload = noop}.encode(), 1002},
      {"unknown control opcode", WsFrame{.first = 0x8B, .payload = ""}.encode(), 1002},
      {"text", WsFrame{.first = 0x81, .payload = "hello"}.encode(), 1003},
      {"text that goes on for ever", WsFrame{.first = 0x01, .payload = "hello"}.encode(), 1003},
      {"continuation of nothing", WsFrame{.first = 0x80, .payload = noop}.encode(), 1002},
      {"message in a message",
       WsFrame{.first = 0x02, .payload = "x"}.encode() + WsFrame{.payload = noop}.encode(), 1002},
      {"fragmented ping", WsFrame{.first = 0x09, .payload = ""}.encode(), 1002},
      {"long ping", WsFrame{.first = 0x89, .payload = std::string(126, 'p')}.encode(), 1002},
      {"close with one byte", WsFrame{.first = 0x88, .payload = "x"}.encode(), 1002},
      {"close with a reserved code", WsFrame{.first = 0x88, .payload = "\x03\xED"}.encode(), 1002},
      {"endless empty fragments", fragments, 1008},
      {"endless long fragments", long_fragments, 1009},
      {"a frame of 2^63 bytes", std::string("\x82\xFF\x80\0\0\0\0\0\0\0....", 14), 1009},
      {"a frame beyond the limit", WsFrame{.payload = std::string(5000, 'x')}.encode(), 1009},
      {"a body beyond the limit", WsFrame{.payload = packet(1, 1, std::string(4097, 'x'))}.encode(), 1009},
      {"two packets in a message", WsFrame{.payload = noop + noop}.encode(), 1002},
      {"half a packet in a message", WsFrame{.payload = noop.substr(0, 10)}.encode(), 1002},
      {"a packet longer than its message", WsFrame{.payload = announces_more}.encode(), 1002},
      {"an empty message", WsFrame{.payload = ""}.encode(), 1002},
      {"a wrong header length", WsFrame{.payload = bad_header}.encode(), 1002},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    WsClient client(ws_port());
    ASSERT_TRUE(client.open());
    ASSERT_TRUE(client.send(row.bytes));
    EXPECT_EQ(client.read_close_code(), row.code);
    EXPECT_TRUE(client.wait_closed());
    expect_undisturbed(other);
  }
  EXPECT_TRUE(refused("bad_framing", static_cast<int>(rows.size())));
}

TEST_F(WsTest, ServesWhatCameBeforeTheFault) {
  start_serving();
  WsClient client(ws_port());
  ASSERT_TRUE(client.open());
  ASSERT_TRUE(client.send(WsFrame{.payload = packet(6, 5, "")}.encode() +
                          WsFrame{.first = 0x81, .payload = "text"}.encode()));
  const auto answer = client.read_frame();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->payload, packet(6, 5, ""));
  EXPECT_EQ(client.read_close_code(), 1003);
}

TEST_F(WsTest, RefusesOtherRequests) {
  config.websocket.origins = {"https://chat.example.com", "http://127.0.0.1:*"};
  start_serving();
  struct Row {
    const char* what;
    std::string request;
    int status;
  };
  std::string old_version = WsClient::request();
  old_version.replace(old_version.find("Version: 13"), 11, "Version: 8");
  std::string no_key = WsClient::request();
  no_key.replace(no_key.find("dGhl"), 4, "----");
  const std::vector<Row> rows = {
      {"plain HTTP", "GET / HTTP/1.1\r\nHost: gate\r\n\r\n", 426},
      {"a POST", "POST / HTTP/1.1\r\nHost: gate\r\nContent-Length: 2\r\n\r\n", 400},
      {"TLS", "\x16\x03\x01\x02", 400},
      {"an old version", old_version, 426},
      {"a key that is none", no_key, 400},
      {"100 KB of headers", WsClient::request("X: " + std::string(100 << 10, 'x') + "\r\n"), 431},
      {"foreign origin", WsClient::request("Origin: https://evil.example.com\r\n"), 403},
      {"an origin that begins like ours", WsClient::request("Origin: https://chat.example.com.evil.com\r\n"),
       403},
      {"no port", WsClient::request("Origin: http://127.0.0.1:80.evil.com\r\n"), 403},
      {"a page from a file", WsClient::request("Origin: null\r\n"), 403},
      {"a foreign origin behind ours",
       WsClient::request("Origin: https://chat.example.com\r\nOrigin: https://evil.example.com\r\n"), 403},
      {"our origin", WsClient::request("Origin: https://chat.example.com\r\n"), 101},
      {"our origin with a port", WsClient::request("Origin: http://127.0.0.1:8080\r\n"), 101},
      {"no origin", WsClient::request(), 101},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    WsClient client(ws_port());
    ASSERT_TRUE(client.send(row.request));
    EXPECT_EQ(client.read_status(), row.status);
    if (row.status != 101) EXPECT_TRUE(client.wait_closed());
  }
}

TEST_F(WsTest, ClosesWhoNeverFinishesTheRequest) {
  config.session.login_deadline = Milliseconds(300);
  start_serving();
  WsClient silent(ws_port());
  WsClient half(ws_port());
  ASSERT_TRUE(half.send("GET / HTTP/1.1\r\nHost: gate\r\n"));
  WsClient opened(ws_port());
  ASSERT_TRUE(opened.open());
  EXPECT_TRUE(silent.wait_closed());
  EXPECT_TRUE(half.wait_closed());
  EXPECT_TRUE(opened.wait_closed());
  EXPECT_TRUE(refused("login_deadline", 3));
}

TEST_F(WsTest, RefusesPacketsOnTheWrongPort) {
  start_serving();
  PacketClient client(ws_port());
  ASSERT_TRUE(client.send_auth("alice"));
  EXPECT_TRUE(client.wait_closed());
  WsClient web(port());
  ASSERT_TRUE(web.send(WsClient::request()));
  EXPECT_TRUE(web.wait_closed());
  EXPECT_TRUE(refused("bad_header"));
}

}  // namespace
}  // namespace hongyan::gate
