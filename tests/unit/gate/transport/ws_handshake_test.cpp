#include "gate/transport/ws_handshake.h"

#include <gtest/gtest.h>

namespace hongyan::gate {
namespace {

TEST(WsHandshakeTest, ComputesTheAcceptKeyOfTheRfc) {
  const auto answer = answer_upgrade(
      "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
      {});
  EXPECT_TRUE(answer.accepted);
  EXPECT_NE(answer.response.find("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos);
}

TEST(WsHandshakeTest, LooksAtAllLinesOfAField) {
  const auto accepted = [](std::string_view fields) {
    return answer_upgrade(
               "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) +
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
               {})
        .accepted;
  };
  EXPECT_TRUE(accepted("Upgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n"));
  EXPECT_TRUE(accepted("Upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n"));
  EXPECT_TRUE(accepted("Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"));
  EXPECT_FALSE(accepted("Upgrade: websocket\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(accepted("Upgrade: websockets\r\nConnection: Upgrade\r\n"));
  EXPECT_FALSE(accepted("Connection: Upgrade\r\n"));
}

TEST(WsHandshakeTest, AnswersProbes) {
  const auto probe = answer_upgrade("GET /healthz HTTP/1.0\r\n\r\n", {});
  EXPECT_TRUE(probe.probe);
  EXPECT_FALSE(probe.accepted);
  EXPECT_TRUE(probe.response.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_FALSE(answer_upgrade("GET / HTTP/1.1\r\nHost: x\r\n\r\n", {}).probe);
}

TEST(WsHandshakeTest, ChecksOrigins) {
  EXPECT_EQ(check_origin("*"), "");
  EXPECT_EQ(check_origin("null"), "");
  EXPECT_EQ(check_origin("https://chat.example.com"), "");
  EXPECT_EQ(check_origin("http://127.0.0.1:*"), "");
  EXPECT_NE(check_origin("chat.example.com"), "");
  EXPECT_NE(check_origin("https://chat.example.com/"), "");
  EXPECT_NE(check_origin("https://"), "");
}

TEST(WsHandshakeTest, SeesWhatIsNoRequestAtOnce) {
  EXPECT_TRUE(may_be_upgrade(""));
  EXPECT_TRUE(may_be_upgrade("GE"));
  EXPECT_TRUE(may_be_upgrade("GET /"));
  EXPECT_FALSE(may_be_upgrade("\x16\x03"));
  EXPECT_FALSE(may_be_upgrade("GEX"));
}

}  // namespace
}  // namespace hongyan::gate
