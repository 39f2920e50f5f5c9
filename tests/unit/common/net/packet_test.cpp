#include "common/net/packet.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace hongyan::net {
namespace {

using Packets = std::vector<std::pair<PacketHeader, std::string>>;

// Feeds the pieces one by one and collects what comes out.
std::expected<Packets, PacketError> decode(PacketDecoder& decoder, const std::vector<std::string>& pieces) {
  Packets out;
  for (const auto& piece : pieces) {
    decoder.feed(piece);
    for (;;) {
      auto next = decoder.next();
      if (!next) return std::unexpected(next.error());
      if (*next == nullptr) break;
      out.emplace_back((*next)->header, std::string((*next)->body));
    }
    decoder.keep();
  }
  return out;
}

std::string three_packets() {
  std::string stream;
  append_packet(stream, 200, 30, 1, "hello");
  append_packet(stream, 200, 6, 0xFFFFFFFF, "");
  append_packet(stream, 200, 31, 0, std::string("\0\xff\0", 3) + std::string(300, 'x'));
  return stream;
}

TEST(PacketTest, WritesTheKnownBytes) {
  std::string out;
  append_packet(out, 200, 30, 258, "hi");
  const std::string expected("\0\0\0\x14\0\0\0\xc8\0\0\0\x1e\0\0\x01\x02\0\0\0\x02hi", 22);
  EXPECT_EQ(out, expected);
}

TEST(PacketDecoderTest, SurvivesEverySplitInTwo) {
  const std::string stream = three_packets();
  PacketDecoder whole(1024);
  const auto expected = decode(whole, {stream}).value();
  ASSERT_EQ(expected.size(), 3U);
  EXPECT_EQ(expected[0].second, "hello");
  EXPECT_EQ(expected[1].first.seq, 0xFFFFFFFFU);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    PacketDecoder decoder(1024);
    EXPECT_EQ(decode(decoder, {stream.substr(0, cut), stream.substr(cut)}), expected) << cut;
    EXPECT_EQ(decoder.kept_bytes(), 0U);
  }
}

TEST(PacketDecoderTest, SurvivesSingleBytes) {
  const std::string stream = three_packets();
  std::vector<std::string> bytes;
  for (const char c : stream) bytes.emplace_back(1, c);
  PacketDecoder decoder(1024);
  EXPECT_EQ(decode(decoder, bytes).value().size(), 3U);
}

TEST(PacketDecoderTest, SkipsALongerHeader) {
  std::string stream;
  append_packet(stream, 200, 30, 9, "body");
  stream[3] = 64;
  stream.insert(20, 44, '?');
  append_packet(stream, 200, 6, 10, "");
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    PacketDecoder decoder(1024);
    const auto packets = decode(decoder, {stream.substr(0, cut), stream.substr(cut)}).value();
    ASSERT_EQ(packets.size(), 2U);
    EXPECT_EQ(packets[0].second, "body");
    EXPECT_EQ(packets[1].first.seq, 10U);
  }
}

TEST(PacketDecoderTest, RefusesHeaderLengthsOutOfRange) {
  for (const std::uint32_t length : {0U, 19U, 65U, 0x14000000U, 0xFFFFFFFFU}) {
    std::string stream;
    append_packet(stream, 200, 6, 1, "");
    for (int i = 0; i < 4; ++i)
      stream[static_cast<std::size_t>(i)] = static_cast<char>(length >> (24 - 8 * i));
    PacketDecoder decoder(1024);
    EXPECT_EQ(decode(decoder, {stream}).error(), PacketError::kHeaderLength) << length;
  }
}

TEST(PacketDecoderTest, RefusesOversizedBodyOnSightOfTheHeader) {
  for (const std::uint32_t length : {1025U, 0x80000000U, 0xFFFFFFFFU}) {
    std::string stream(kHeaderSize, '\0');
    write_header({.client_version = 200, .cmd_id = 30, .seq = 1, .body_length = length}, stream.data());
    PacketDecoder decoder(1024);
    EXPECT_EQ(decode(decoder, {stream}).error(), PacketError::kBodyTooLarge);
    PacketDecoder split(1024);
    EXPECT_EQ(decode(split, {stream.substr(0, 7), stream.substr(7)}).error(), PacketError::kBodyTooLarge);
  }
}

TEST(PacketDecoderTest, GivesBackWhatItDidNotLookAt) {
  std::string stream;
  for (std::uint32_t seq = 1; seq <= 3; ++seq) append_packet(stream, 200, 6, seq, "body");
  for (std::size_t cut = 0; cut <= kHeaderSize; ++cut) {
    PacketDecoder decoder(1024);
    const std::string first = stream.substr(0, cut);
    decoder.feed(first);
    EXPECT_EQ(decoder.next().value(), nullptr);
    decoder.keep();
    std::string rest = stream.substr(cut);
    for (std::uint32_t seq = 1; seq <= 3; ++seq) {
      decoder.feed(rest);
      const Packet* packet = decoder.next().value();
      ASSERT_NE(packet, nullptr);
      EXPECT_EQ(packet->header.seq, seq);
      EXPECT_EQ(packet->body, "body");
      rest = decoder.take_rest();
    }
    EXPECT_TRUE(rest.empty());
    EXPECT_EQ(decoder.kept_bytes(), 0U);
  }
}

TEST(PacketDecoderTest, TakesABodyOfExactlyTheLimit) {
  std::string stream;
  append_packet(stream, 200, 30, 1, std::string(1024, 'b'));
  PacketDecoder decoder(1024);
  EXPECT_EQ(decode(decoder, {stream}).value().front().second.size(), 1024U);
}

}  // namespace
}  // namespace hongyan::net
