// Who may come in: limits by address, TLS handshakes, proxies before the gate.
#include <poll.h>

#include "common/net/stream.h"
#include "tests/integration/gate/gate_fixture.h"
#include "tests/support/certificate.h"
#include "tests/support/temp_folder.h"
#include "tests/support/ws_client.h"

namespace hongyan::gate {
namespace {

using test::RawClient;
using test::WsClient;

class AdmissionTest : public GateFixture {
 protected:
  void use_tls() {
    files = test::make_certificate(folder.path().string());
    config.certificate_file = files.certificate;
    config.key_file = files.key;
    config.tls = {.host = "127.0.0.1", .port = 0};
    config.wss = {.host = "127.0.0.1", .port = 0};
  }
  [[nodiscard]] std::uint16_t tls_port() const { return gate->port(TransportKind::kTls); }
  // Waits for it.
  [[nodiscard]] bool becomes_refused(const std::string& reason, int count = 1) {
    for (const auto begin = SteadyClock::now(); SteadyClock::now() - begin < test::kPatience;) {
      if (refused(reason, count)) return true;
    }
    return false;
  }

  hongyan::testing::TempFolder folder;
  test::CertificateFiles files;
};

// A TLS client that can say something before it begins.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, const std::string& ca_file, std::string_view before = {}) {
    net::TcpSocket socket(context_);
    net::error_code ec;
    socket.connect({net::asio::ip::address_v4::loopback(), port}, ec);
    EXPECT_EQ(::send(socket.native_handle(), before.data(), before.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(before.size()));
    auto trust = net::TlsContext::client(ca_file);
    EXPECT_TRUE(trust.has_value());
    stream_.emplace(std::move(socket), **trust, "127.0.0.1", nullptr);
  }
  [[nodiscard]] bool shake_hands() {
    for (;;) {
      const auto io = stream_->handshake();
      if (io.outcome != net::StreamIo::Outcome::kBlocked) return io.outcome == net::StreamIo::Outcome::kDone;
      if (!wait()) return false;
    }
  }
  // The error of the answer.
  [[nodiscard]] client::ErrorCode log_in(const std::string& uid) {
    const std::string bytes = packet(client::COMMAND_AUTH, 1, test::demo_auth(uid).SerializeAsString());
    const std::array<net::asio::const_buffer, 1> out = {net::asio::buffer(bytes)};
    if (stream_->write_some(out).bytes != bytes.size()) return client::ERROR_CODE_INTERNAL;
    std::string answer(1024, '\0');
    for (;;) {
      const auto io = stream_->read_some(net::asio::buffer(answer));
      if (io.outcome == net::StreamIo::Outcome::kBlocked && wait()) continue;
      if (io.outcome != net::StreamIo::Outcome::kDone) return client::ERROR_CODE_INTERNAL;
      client::ErrorOnly error;
      if (!error.ParseFromString(answer.substr(net::kHeaderSize, io.bytes - net::kHeaderSize)))
        return client::ERROR_CODE_INTERNAL;
      return error.error().code();
    }
  }

 private:
  bool wait() {
    pollfd waiting{.fd = stream_->socket().native_handle(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, static_cast<int>(test::kPatience.count())) == 1;
  }
  net::asio::io_context context_;
  std::optional<net::Stream> stream_;
};

TEST_F(AdmissionTest, LimitsConnectsByAddress) {
  config.admission.connection_burst = 3;
  config.admission.connections_per_second = 0.001;
  config.admission.proxy_protocol_from = {"127.0.0.1"};
  start_serving();
  const auto come = [&](const char* address) {
    auto client = std::make_unique<PacketClient>(port());
    client->send("PROXY TCP4 " + std::string(address) + " 10.0.0.1 1 2\r\n");
    return client->log_in("alice");
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(come("192.0.2.1"));
  EXPECT_FALSE(come("192.0.2.1"));
  EXPECT_TRUE(come("192.0.2.2"));
  EXPECT_TRUE(refused("connect_rate"));
}

TEST_F(AdmissionTest, LimitsThoseThatHaveNotLoggedIn) {
  config.admission.max_pending_per_address = 2;
  start_serving();
  PacketClient one(port());
  ASSERT_TRUE(one.log_in("alice"));
  PacketClient two(port());
  PacketClient three(port());
  ASSERT_TRUE(two.send(client::COMMAND_NOOP, 1, "") && two.read().has_value());
  ASSERT_TRUE(three.send(client::COMMAND_NOOP, 1, "") && three.read().has_value());
  PacketClient four(port());
  EXPECT_TRUE(four.wait_closed());
  EXPECT_TRUE(refused("address_pending"));
  EXPECT_TRUE(two.log_in("bob"));
  PacketClient five(port());
  EXPECT_TRUE(five.log_in("carol"));
}

TEST_F(AdmissionTest, WhoWaitsLongestForALoginMakesRoom) {
  config.admission.max_pending = 2;
  start_serving();
  PacketClient one(port());
  ASSERT_TRUE(one.send(client::COMMAND_NOOP, 1, "") && one.read().has_value());
  PacketClient two(port());
  ASSERT_TRUE(two.send(client::COMMAND_NOOP, 1, "") && two.read().has_value());
  bool in = false;  // at first the others have a second
  for (const auto begin = SteadyClock::now(); !in && SteadyClock::now() - begin < test::kPatience;) {
    PacketClient late(port());
    in = late.log_in("alice");
  }
  EXPECT_TRUE(in);
  EXPECT_TRUE(one.wait_closed(Milliseconds(1000)));
  EXPECT_TRUE(two.log_in("bob"));
}

TEST_F(AdmissionTest, LimitsRefusedLoginsByAddress) {
  config.admission.refused_login_burst = 4;
  config.admission.refused_logins_per_second = 0.001;
  start_serving();
  logic.answer_with([](FakeLogic& node, const LogicPacket& packet) {
    if (packet.request.uid() == "alice") return node.accept_login(packet);
    client::AuthResp body;
    body.mutable_error()->set_code(client::ERROR_CODE_UNAUTHENTICATED);
    node.respond(packet, body.SerializeAsString(), true);
  });
  const auto code = [&](const char* uid) {
    PacketClient client(port());
    return client.log_in(test::demo_auth(uid)).error().code();
  };
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(code("mallory"), client::ERROR_CODE_UNAUTHENTICATED);
    if (i < 3) EXPECT_EQ(code("alice"), client::ERROR_CODE_OK);
  }
  // Logic is not asked any more.
  EXPECT_EQ(code("mallory"), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_TRUE(refused("failed_logins"));
}

TEST_F(AdmissionTest, LimitsHandshakesUnderWay) {
  use_tls();
  config.admission.max_handshakes_per_address = 3;
  start_serving();
  std::vector<std::unique_ptr<RawClient>> silent;
  std::vector<std::unique_ptr<RawClient>> half;
  for (int i = 0; i < 3; ++i) {
    silent.push_back(std::make_unique<RawClient>(tls_port()));
    half.push_back(std::make_unique<RawClient>(tls_port()));
    half.back()->send(std::string_view("\x16\x03\x01\x02", 4));
  }
  // Of those that came before it some may not have been looked at yet.
  bool limited = false;
  for (int i = 0; i < 10 && !limited; ++i) {
    RawClient further(tls_port());
    further.send(std::string_view("\x16\x03\x01\x02", 4));
    limited = further.wait_closed(Milliseconds(1000));
  }
  EXPECT_TRUE(limited);
  EXPECT_TRUE(metric_is("hongyan_gate_refusals_total{reason=\"address_handshakes\"} 1") ||
              refused("address_handshakes", 2));
  half.clear();
  for (bool in = false; !in;) in = TlsClient(tls_port(), files.certificate).shake_hands();
  TlsClient client(tls_port(), files.certificate);
  ASSERT_TRUE(client.shake_hands());
  EXPECT_EQ(client.log_in("alice"), client::ERROR_CODE_OK);
}

TEST_F(AdmissionTest, OldHandshakesMakeRoomForNewOnes) {
  use_tls();
  config.admission.max_handshakes = 2;
  start_serving();
  RawClient one(tls_port());
  RawClient two(tls_port());
  for (RawClient* client : {&one, &two}) client->send(std::string_view("\x16\x03\x01\x02", 4));
  // They have a second; then whoever comes gets in.
  bool in = false;
  for (const auto begin = SteadyClock::now(); !in && SteadyClock::now() - begin < test::kPatience;) {
    in = TlsClient(tls_port(), files.certificate).shake_hands();
  }
  EXPECT_TRUE(in);
  EXPECT_TRUE(one.wait_closed());
}

TEST_F(AdmissionTest, AHandshakeHasUntilTheLoginDeadline) {
  use_tls();
  config.session.login_deadline = Milliseconds(200);
  start_serving();
  RawClient silent(tls_port());
  RawClient half(tls_port());
  half.send(std::string_view("\x16\x03\x01\x02", 4));
  TlsClient shaken(tls_port(), files.certificate);
  ASSERT_TRUE(shaken.shake_hands());
  EXPECT_TRUE(silent.wait_closed());
  EXPECT_TRUE(half.wait_closed());
  EXPECT_TRUE(becomes_refused("login_deadline", 3));
  RawClient garbage(tls_port());
  garbage.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(garbage.wait_closed());
  EXPECT_TRUE(refused("handshake_failed"));
}

TEST_F(AdmissionTest, LearnsAddressesFromProxiesOnAllTransports) {
  use_tls();
  config.admission.proxy_protocol_from = {"127.0.0.0/8"};
  config.max_connections_per_address = 1;
  start_serving();
  const auto line = [](int host) {
    return "PROXY TCP4 192.0.2." + std::to_string(host) + " 10.0.0.1 1 2\r\n";
  };
  PacketClient tcp(port());
  tcp.send(line(1) + packet(client::COMMAND_NOOP, 7, ""));  // together
  ASSERT_TRUE(tcp.read().has_value());
  ASSERT_TRUE(tcp.log_in("tcp"));
  WsClient ws(gate->port(TransportKind::kWs));
  for (const char c : line(2)) ws.send(std::string_view(&c, 1));
  EXPECT_TRUE(ws.log_in("ws"));
  TlsClient tls(tls_port(), files.certificate, line(3));
  ASSERT_TRUE(tls.shake_hands());
  EXPECT_EQ(tls.log_in("tls"), client::ERROR_CODE_OK);
  TlsClient wss(gate->port(TransportKind::kWss), files.certificate, line(4));
  EXPECT_TRUE(wss.shake_hands());
  // Each address has its one connection now, whatever carries it.
  for (int host = 1; host <= 4; ++host) {
    PacketClient again(port());
    again.send(line(host));
    EXPECT_TRUE(again.wait_closed()) << host;
  }
  EXPECT_TRUE(refused("address", 4));
}

TEST_F(AdmissionTest, ClosesAProxysConnectionWithoutAHeader) {
  config.admission.proxy_protocol_from = {"127.0.0.1"};
  config.session.login_deadline = Milliseconds(200);
  start_serving();
  PacketClient none(port());
  none.send_auth("alice");
  EXPECT_TRUE(none.wait_closed());
  EXPECT_TRUE(refused("proxy_header"));
  PacketClient unfinished(port());
  unfinished.send("PROXY TCP4 192.0");
  EXPECT_TRUE(unfinished.wait_closed());
  EXPECT_TRUE(refused("login_deadline"));
}

TEST_F(AdmissionTest, BelievesNoHeaderOfStrangers) {
  config.admission.proxy_protocol_from = {"10.0.0.0/8"};
  start_serving();
  PacketClient stranger(port());
  stranger.send("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n");
  EXPECT_TRUE(stranger.wait_closed());
  EXPECT_TRUE(refused("bad_header"));
}

TEST_F(AdmissionTest, StopsWhileConnectionsAreOnTheirWay) {
  use_tls();
  config.admission.proxy_protocol_from = {"127.0.0.1"};
  start_serving();
  RawClient header(port());
  header.send("PROXY TCP4 1");
  RawClient hello(tls_port());
  hello.send("PROXY UNKNOWN\r\n\x16\x03\x01\x02");
  gate->stop();
  EXPECT_TRUE(header.wait_closed());
  EXPECT_TRUE(hello.wait_closed());
}

}  // namespace
}  // namespace hongyan::gate
