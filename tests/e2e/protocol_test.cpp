// Bad input on the wire: the error of docs/protocol.md, and the daemon lives.
#include <gtest/gtest.h>

#include "tests/e2e/gate_client.h"
#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

using client::C2CSendReq;

class ProtocolTest : public ::testing::Test {
 protected:
  // Whatever a test did, others are served.
  void TearDown() override {
    TestClient witness(tools::unique("witness"));
    witness.start();
    EXPECT_TRUE(witness.send(witness.uid(), "still here"));
  }
  static void login(GateClient& raw, const std::string& uid) {
    ASSERT_FALSE(raw.login(uid, tools::Cluster::get().token(uid)).has_error());
  }
};

TEST_F(ProtocolTest, HeaderOutOfRangeCloses) {
  for (const unsigned char length : {0, 19, 65}) {
    GateClient raw;
    std::string bytes;
    net::append_packet(bytes, client::kClientVersion, client::COMMAND_NOOP, 1, "");
    bytes[3] = static_cast<char>(length);
    raw.send(bytes);
    EXPECT_TRUE(raw.wait_closed()) << static_cast<int>(length);
  }
}

TEST_F(ProtocolTest, BodyTooLargeCloses) {
  {
    GateClient raw;  // before login little is kept
    raw.send(client::COMMAND_AUTH, 1, std::string(5000, 'x'));
    EXPECT_TRUE(raw.wait_closed());
  }
  GateClient raw;
  login(raw, tools::unique("alice"));
  std::string header(net::kHeaderSize, '\0');
  net::write_header(
      {.client_version = client::kClientVersion, .cmd_id = 30, .seq = 5, .body_length = 0xFFFFFFFF},
      header.data());
  raw.send(header);
  EXPECT_TRUE(raw.wait_closed());
}

TEST_F(ProtocolTest, CommandBeforeLoginIsRefusedAndCloses) {
  for (const auto command : {client::COMMAND_C2C_SEND, client::COMMAND_PULL, client::COMMAND_LOGOUT}) {
    GateClient raw;
    raw.send(command, 7, "");
    const auto answer = raw.read();
    ASSERT_TRUE(answer) << command;
    EXPECT_EQ(answer->header.seq, 7U);
    EXPECT_EQ(error_of(*answer), client::ERROR_CODE_UNAUTHENTICATED);
    EXPECT_TRUE(raw.wait_closed());
  }
}

TEST_F(ProtocolTest, NoopIsAnsweredAndSignalKeepIgnored) {
  GateClient raw;
  raw.send(client::COMMAND_SIGNAL_KEEP, 3, "");
  raw.send(client::COMMAND_NOOP, 0xFFFFFFFF, "");
  const auto answer = raw.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.cmd_id, static_cast<std::uint32_t>(client::COMMAND_NOOP));
  EXPECT_EQ(answer->header.seq, 0xFFFFFFFFU);
  EXPECT_EQ(answer->header.client_version, client::kClientVersion);
}

TEST_F(ProtocolTest, BadTokensAreRefused) {
  const std::string uid = tools::unique("alice");
  const std::string good = tools::Cluster::get().token(uid);
  const std::string expired = tools::Cluster::get().token(uid, 1);
  ASSERT_TRUE(tools::eventually([&] {
    GateClient raw;
    return raw.login(uid, expired).error().code() == client::ERROR_CODE_UNAUTHENTICATED;
  }));
  for (const std::string& token : {std::string(), std::string("x"), good.substr(0, good.size() / 2),
                                   tools::Cluster::get().token(tools::unique("mallory")), good + "x"}) {
    GateClient raw;
    EXPECT_EQ(raw.login(uid, token).error().code(), client::ERROR_CODE_UNAUTHENTICATED);
  }
  GateClient raw;
  EXPECT_FALSE(raw.login(uid, good).has_error());
}

TEST_F(ProtocolTest, RefusesBadSends) {
  GateClient raw;
  login(raw, tools::unique("alice"));
  struct Case {
    std::string what;
    C2CSendReq request;
    client::ErrorCode code;
  };
  const auto make = [](const std::string& from, const std::string& to, const std::string& id) {
    C2CSendReq request;
    request.set_from(from);
    request.set_to(to);
    request.set_client_msg_id(id);
    return request;
  };
  const std::vector<Case> cases = {
      {"foreign from", make("mallory", "bob", "i"), client::ERROR_CODE_PERMISSION_DENIED},
      {"empty to", make("", "", "i"), client::ERROR_CODE_BAD_REQUEST},
      {"missing client_msg_id", make("", "bob", ""), client::ERROR_CODE_BAD_REQUEST},
      {"NUL in to", make("", std::string("b\0b", 3), "i"), client::ERROR_CODE_BAD_REQUEST},
      {"client_msg_id of 65 bytes", make("", "bob", std::string(65, 'i')), client::ERROR_CODE_BAD_REQUEST},
  };
  std::uint32_t seq = 10;
  for (const auto& one : cases) {
    raw.send(client::COMMAND_C2C_SEND, ++seq, one.request.SerializeAsString());
    const auto answer = raw.read();
    ASSERT_TRUE(answer) << one.what;
    EXPECT_EQ(answer->header.seq, seq);
    EXPECT_EQ(answer->header.cmd_id, static_cast<std::uint32_t>(client::COMMAND_C2C_SEND));
    EXPECT_EQ(error_of(*answer), one.code) << one.what;
  }
  raw.send(999, 77, "");
  const auto unknown = raw.read();
  ASSERT_TRUE(unknown);
  EXPECT_EQ(error_of(*unknown), client::ERROR_CODE_UNKNOWN_COMMAND);
  EXPECT_FALSE(raw.closed());
}

TEST_F(ProtocolTest, TenUnparsableBodiesClose) {
  GateClient raw;
  login(raw, tools::unique("alice"));
  for (std::uint32_t i = 1; i <= 9; ++i) {
    raw.send(client::COMMAND_C2C_SEND, i, "\xff\xff\xff\xff");
    const auto answer = raw.read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(error_of(*answer), client::ERROR_CODE_BAD_REQUEST);
  }
  EXPECT_FALSE(raw.closed());
  raw.send(client::COMMAND_C2C_SEND, 10, "\xff\xff\xff\xff");
  EXPECT_TRUE(raw.wait_closed());
}

TEST_F(ProtocolTest, PullRefusesBadOffsets) {
  GateClient raw;
  const std::string uid = tools::unique("alice");
  login(raw, uid);
  client::PullReq pull;
  pull.set_offset(-1);
  raw.send(client::COMMAND_PULL, 2, pull.SerializeAsString());
  EXPECT_EQ(error_of(raw.read().value()), client::ERROR_CODE_BAD_REQUEST);
  pull.set_offset(5);
  raw.send(client::COMMAND_PULL, 3, pull.SerializeAsString());
  EXPECT_EQ(error_of(raw.read().value()), client::ERROR_CODE_FAILED_PRECONDITION);
}

TEST_F(ProtocolTest, UnsupportedVersionIsToldAndCloses) {
  GateClient raw;
  raw.send(client::COMMAND_NOOP, 4, "", 0);
  const auto answer = raw.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_VERSION_UNSUPPORTED);
  EXPECT_EQ(answer->header.client_version, 0U);
  EXPECT_TRUE(raw.wait_closed());
}

TEST_F(ProtocolTest, LoginAsSomebodyElseOnTheSameConnectionCloses) {
  GateClient raw;
  login(raw, tools::unique("alice"));
  const std::string other = tools::unique("mallory");
  static_cast<void>(raw.login(other, tools::Cluster::get().token(other)));
  EXPECT_TRUE(raw.wait_closed());
}

TEST_F(ProtocolTest, LogoutIsAnsweredAndCloses) {
  GateClient raw;
  login(raw, tools::unique("alice"));
  raw.send(client::COMMAND_LOGOUT, 8, client::LogoutReq().SerializeAsString());
  const auto answer = raw.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.cmd_id, static_cast<std::uint32_t>(client::COMMAND_LOGOUT));
  EXPECT_EQ(error_of(*answer), client::ERROR_CODE_OK);
  EXPECT_TRUE(raw.wait_closed());
}

}  // namespace
}  // namespace hongyan::e2e
