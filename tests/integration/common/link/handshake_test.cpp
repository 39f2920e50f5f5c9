// Who is let in.
#include <random>

#include "common/link/hello.h"
#include "proto/parse.h"
#include "tests/integration/common/link/link_fixture.h"
#include "tests/support/packet_client.h"

namespace hongyan::link {
namespace {

using test::PacketClient;

class HandshakeTest : public LinkFixture {};

// The bytes of the next frame; none when the peer has closed.
std::string read_frame(PacketClient& client) {
  const auto frame = client.read();
  if (!frame) return {};
  return test::packet(frame->header.cmd_id, frame->header.seq, frame->body, frame->header.client_version);
}

TEST_F(HandshakeTest, BothSidesLearnWhoTheOtherIs) {
  start_client(start_server());
  const LinkPtr near = client_side.wait_up();
  const LinkPtr far = server_side.wait_up();
  ASSERT_TRUE(near && far);
  EXPECT_EQ(near->peer().node_id, "logic-1");
  EXPECT_EQ(near->peer().role, ROLE_LOGIC);
  EXPECT_EQ(near->peer().boot_id, 22U);
  EXPECT_EQ(far->peer().node_id, "gate-1");
  EXPECT_EQ(far->peer().worker, 3U);
}

TEST_F(HandshakeTest, WrongSecretIsRefusedByBothSides) {
  gate.secret = "another secret";
  start_client(start_server());
  // It connects again and again, in vain: a right one after it still gets in.
  Identity other = logic;
  other.node_id = "logic-2";
  Recorder other_side;
  auto right = LinkClient::start(client_loop, {"127.0.0.1", server->port()}, other, other_side, 0);
  ASSERT_TRUE(other_side.wait_up());
  ASSERT_TRUE(server_side.wait_up());
  EXPECT_EQ(server_side.ups(), 1);
  EXPECT_EQ(client_side.ups(), 0);
  right->stop();
  EXPECT_TRUE(server_side.wait_downs(1));
  EXPECT_TRUE(other_side.wait_downs(1));
}

TEST_F(HandshakeTest, StrangersGarbageCloses) {
  const auto port = start_server();
  std::mt19937 random(1);
  for (const std::size_t size : {1000U, 100'000U}) {
    std::string noise(size, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    PacketClient stranger(port);
    stranger.send(noise);
    EXPECT_TRUE(stranger.wait_closed());
  }
  PacketClient http(port);
  http.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(http.wait_closed());
  std::string early;
  append_frame(early, LINK_COMMAND_PUSH, 0, 0, Push(), "too early");
  PacketClient impatient(port);
  impatient.send(early);
  EXPECT_TRUE(impatient.wait_closed());
  EXPECT_EQ(server_side.ups(), 0);
}

TEST_F(HandshakeTest, SilentStrangerIsClosedAtTheDeadline) {
  PacketClient stranger(start_server({.link = {}, .hello_deadline = Milliseconds(100)}));
  EXPECT_TRUE(stranger.wait_closed());
}

TEST_F(HandshakeTest, ALargePacketOfAStrangerIsRefusedByItsHeader) {
  const auto port = start_server();
  for (const std::uint32_t size : {kMaxUnprovedBody + 1, kMaxLinkBody}) {
    std::string header(net::kHeaderSize, '\0');
    net::write_header({.cmd_id = LINK_COMMAND_HELLO, .body_length = size}, header.data());
    PacketClient stranger(port);
    stranger.send(header);
    EXPECT_TRUE(stranger.wait_closed());
  }
}

// Neither do they take its place from a peer, nor its loop's time.
TEST_F(HandshakeTest, StrangersGiveWay) {
  const auto port = start_server({.link = {}, .max_unproved = 8});
  std::vector<std::unique_ptr<PacketClient>> strangers;
  for (int i = 0; i < 20; ++i) strangers.push_back(std::make_unique<PacketClient>(port));
  EXPECT_TRUE(strangers.front()->wait_closed());
  std::promise<void> release;
  server_loop.post([&] { release.get_future().wait(); });
  PacketClient another(port);
  EXPECT_FALSE(read_frame(another).empty());  // greeted, though the loop that serves links is busy
  release.set_value();
  start_client(port);
  ASSERT_TRUE(client_side.wait_up() && server_side.wait_up());
  EXPECT_EQ(server_side.ups(), 1);
}

TEST_F(HandshakeTest, StopsWhileStrangersAreThere) {
  const auto port = start_server();
  PacketClient stranger(port);
  ASSERT_FALSE(read_frame(stranger).empty());
  server->stop();
  EXPECT_TRUE(stranger.wait_closed());
}

TEST_F(HandshakeTest, ReplayedProofIsRefused) {
  const auto port = start_server();
  // A full hello of a true member, as an eavesdropper would have recorded it.
  const Hello mine = make_hello(gate, 0);
  const auto frame = [](LinkCommand command, const google::protobuf::MessageLite& message) {
    std::string out;
    append_frame(out, command, 0, 0, message, {});
    return out;
  };
  const auto shake = [&](const std::string* recorded) {
    PacketClient stranger(port);
    stranger.send(frame(LINK_COMMAND_HELLO, mine));
    const std::string hello = read_frame(stranger);
    std::vector<LinkPacket> packets;
    EXPECT_TRUE(split_frames(hello, packets).has_value());
    Hello theirs;
    EXPECT_TRUE(parse(theirs, packets[0].envelope));
    Proof proof;
    proof.set_mac(make_proof(gate.secret, Side::kClient, mine, theirs));
    const std::string bytes = recorded != nullptr ? *recorded : frame(LINK_COMMAND_PROOF, proof);
    stranger.send(bytes);
    const bool accepted = !read_frame(stranger).empty();
    return std::pair(accepted, bytes);
  };
  const auto [accepted, recorded] = shake(nullptr);
  EXPECT_TRUE(accepted);
  EXPECT_FALSE(shake(&recorded).first);
}

TEST_F(HandshakeTest, ReflectedProofIsRefused) {
  const auto port = start_server();
  PacketClient stranger(port);
  const std::string hello = read_frame(stranger);
  ASSERT_FALSE(hello.empty());
  stranger.send(hello);  // its own hello back: same node, same nonce
  std::string proof;
  append_frame(proof, LINK_COMMAND_PROOF, 0, 0, Proof(), {});
  stranger.send(proof);
  EXPECT_TRUE(stranger.wait_closed());
  EXPECT_EQ(server_side.ups(), 0);
}

}  // namespace
}  // namespace hongyan::link
