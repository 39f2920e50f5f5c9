#include "common/link/frame.h"
#include "proto/parse.h"

#include <gtest/gtest.h>

#include "common/link/hello.h"
#include "common/net/packet.h"

namespace hongyan::link {
namespace {

std::string two_frames() {
  Push push;
  push.set_cmd_id(31);
  push.add_channels(77);
  std::string out;
  append_frame(out, LINK_COMMAND_PUSH, 0, 42, push, std::string("\0body", 5));
  append_frame(out, LINK_COMMAND_PING, 9, 0, Proof(), {});
  return out;
}

TEST(FrameTest, RoundTripsAtEverySplit) {
  const std::string stream = two_frames();
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    std::vector<LinkPacket> packets;
    const auto used = split_frames(std::string_view(stream).substr(0, cut), packets);
    ASSERT_TRUE(used.has_value());
    const auto rest = split_frames(std::string_view(stream).substr(*used), packets);
    ASSERT_TRUE(rest.has_value());
    EXPECT_EQ(*used + *rest, stream.size());
    ASSERT_EQ(packets.size(), 2U);
    EXPECT_EQ(packets[0].slot, 42U);
    EXPECT_EQ(packets[0].payload, std::string_view("\0body", 5));
    Push push;
    EXPECT_TRUE(parse(push, packets[0].envelope));
    EXPECT_EQ(push.channels(0), 77U);
    EXPECT_EQ(packets[1].command, LINK_COMMAND_PING);
    EXPECT_EQ(packets[1].seq, 9U);
  }
}

TEST(FrameTest, RefusesHostileHeaders) {
  const auto refused = [](std::size_t offset, unsigned char byte) {
    std::string stream = two_frames();
    stream[offset] = static_cast<char>(byte);
    std::vector<LinkPacket> packets;
    return !split_frames(stream, packets).has_value();
  };
  EXPECT_TRUE(refused(3, 21));     // header length
  EXPECT_TRUE(refused(16, 0x7f));  // body of 2 GB
  EXPECT_TRUE(refused(20, 0x7f));  // envelope longer than the body
  std::string empty;
  net::append_packet(empty, 0, LINK_COMMAND_PING, 0, "abc");  // no room for the envelope's length
  std::vector<LinkPacket> packets;
  EXPECT_FALSE(split_frames(empty, packets).has_value());
}

TEST(FrameTest, KnowsATooLargeBodyByItsHeader) {
  std::string header(net::kHeaderSize, '\0');
  net::write_header({.cmd_id = LINK_COMMAND_HELLO, .body_length = 1025}, header.data());
  LinkPacket packet;
  EXPECT_FALSE(split_frame(header, 1024, packet).has_value());
  EXPECT_EQ(split_frame(header, 1025, packet), 0U);
  const std::string stream = two_frames();
  const auto size = split_frame(stream, 1024, packet);
  ASSERT_TRUE(size.has_value());
  EXPECT_EQ(packet.command, LINK_COMMAND_PUSH);
  EXPECT_LT(*size, stream.size());
}

TEST(HelloTest, ProofBindsSideNoncesAndIdentities) {
  const Identity gate{.role = ROLE_GATE, .node_id = "gate-1", .boot_id = 1, .secret = "s"};
  const Identity logic{.role = ROLE_LOGIC, .node_id = "logic-1", .boot_id = 2, .secret = "s"};
  const Hello client = make_hello(gate, 3);
  const Hello server = make_hello(logic, 0);
  ASSERT_TRUE(check_hello(client).has_value());
  const std::string proof = make_proof("secret", Side::kClient, client, server);
  EXPECT_TRUE(proof_matches(proof, make_proof("secret", Side::kClient, client, server)));
  EXPECT_FALSE(proof_matches(proof, make_proof("other", Side::kClient, client, server)));
  EXPECT_FALSE(proof_matches(proof, make_proof("secret", Side::kServer, client, server)));
  EXPECT_FALSE(proof_matches(proof, make_proof("secret", Side::kClient, client, make_hello(logic, 0))));
  Hello other = client;
  other.set_node_id("gate-2");
  EXPECT_FALSE(proof_matches(proof, make_proof("secret", Side::kClient, other, server)));
  EXPECT_FALSE(proof_matches("", proof));
}

TEST(HelloTest, ChecksTheFields) {
  const Identity gate{.role = ROLE_GATE, .node_id = "gate-1", .boot_id = 1, .secret = "s"};
  Hello hello = make_hello(gate, 0);
  hello.set_link_version(kLinkVersion + 1);
  EXPECT_TRUE(check_hello(hello).has_value());
  hello.set_link_version(kLinkVersion + 2);
  EXPECT_EQ(check_hello(hello).error().code, Code::kVersionUnsupported);
  hello.set_link_version(kLinkVersion);
  hello.set_nonce("short");
  EXPECT_FALSE(check_hello(hello).has_value());
}

}  // namespace
}  // namespace hongyan::link
