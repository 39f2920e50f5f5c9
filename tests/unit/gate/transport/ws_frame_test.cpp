#include "gate/transport/ws_frame.h"

#include <gtest/gtest.h>

#include <random>

namespace hongyan::gate {
namespace {

std::string frame(std::uint8_t first, std::string_view payload, std::string_view key = "\x01\x02\x03\x04") {
  std::array<char, kMostWsHead> head;
  const std::size_t size = write_ws_head(WsOpcode::kBinary, payload.size(), head.data());
  std::string out(head.data(), size);
  out[0] = static_cast<char>(first);
  out[1] = static_cast<char>(out[1] | '\x80');
  out += key;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ key[i % 4]);
  return out;
}

std::string packet(std::size_t body) {
  std::string bytes;
  net::append_packet(bytes, 200, 30, 7, std::string(body, 'b'));
  return bytes;
}

std::string decode(WsDecoder& decoder, std::string bytes) { return std::string(decoder.decode(bytes)); }

TEST(WsFrameTest, WritesHeadsOfEverySize) {
  const auto head = [](std::size_t payload) {
    std::array<char, kMostWsHead> out;
    return std::string(out.data(), write_ws_head(WsOpcode::kBinary, payload, out.data()));
  };
  EXPECT_EQ(head(0), std::string("\x82\x00", 2));
  EXPECT_EQ(head(125), "\x82\x7D");
  EXPECT_EQ(head(126), std::string("\x82\x7E\x00\x7E", 4));
  EXPECT_EQ(head(65535), "\x82\x7E\xFF\xFF");
  EXPECT_EQ(head(65536), std::string("\x82\x7F\0\0\0\0\0\x01\0\0", 10));
  EXPECT_EQ(ws_close_frame(WsCloseCode::kTooBig), "\x88\x02\x03\xF1");
  EXPECT_EQ(ws_close_frame(WsCloseCode::kNoCode), std::string("\x88\x00", 2));
}

TEST(WsFrameTest, JoinsMessagesHoweverTheyAreCut) {
  std::mt19937 random(1);
  const auto below = [&random](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::string sent;
  std::string wire;
  for (int i = 0; i < 200; ++i) {
    const std::string bytes = packet(below(3) == 0 ? below(70'000) : below(200));
    sent += bytes;
    std::size_t at = 0;
    bool first = true;
    do {
      const std::size_t size = below(3) == 0 ? below(bytes.size() - at + 1) : bytes.size() - at;
      const bool last = at + size == bytes.size();
      const auto opcode = static_cast<std::uint8_t>((last ? 0x80 : 0) | (first ? 2 : 0));
      wire += frame(opcode, std::string_view(bytes).substr(at, size), std::to_string(1000 + below(9000)));
      if (below(10) == 0 && !last) wire += frame(0x89, "ping");
      at += size;
      first = false;
      if (last) break;
    } while (true);
  }
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{7}, std::size_t{1000}, std::size_t{32768}, wire.size()}) {
    WsDecoder decoder(1 << 20);
    std::string received;
    for (std::size_t at = 0; at < wire.size(); at += step) received += decode(decoder, wire.substr(at, step));
    EXPECT_FALSE(decoder.ended()) << decoder.reason();
    EXPECT_TRUE(received == sent) << step;
  }
}

TEST(WsFrameTest, KeepsTheLastPing) {
  WsDecoder decoder(1000);
  EXPECT_EQ(decode(decoder, frame(0x89, "one") + frame(0x89, "two") + frame(0x8A, "pong")), "");
  EXPECT_EQ(decoder.take_ping(), "two");
  EXPECT_EQ(decoder.take_ping(), std::nullopt);
}

TEST(WsFrameTest, TakesTheRaisedLimit) {
  WsDecoder decoder(100);
  EXPECT_EQ(decode(decoder, frame(0x82, packet(100))).size(), packet(100).size());
  decoder.set_max_body_bytes(200);
  EXPECT_EQ(decode(decoder, frame(0x82, packet(200))).size(), packet(200).size());
  EXPECT_EQ(decode(decoder, frame(0x82, packet(201))), "");
  EXPECT_EQ(decoder.close_code(), WsCloseCode::kTooBig);
}

TEST(WsFrameTest, TakesAHeaderLongerThan20Bytes) {
  std::string bytes = packet(10);
  bytes[3] = 24;
  bytes.insert(20, "more");
  WsDecoder decoder(10);
  EXPECT_EQ(decode(decoder, frame(0x82, bytes)), bytes);
  EXPECT_FALSE(decoder.ended());
}

TEST(WsFrameTest, EchoesTheCloseCode) {
  for (const auto& [payload, code] : {std::pair{std::string("\x03\xE8"), 1000},
                                      {std::string("\x0F\xA0 bye"), 4000},
                                      {std::string(), 1005}}) {
    WsDecoder decoder(10);
    static_cast<void>(decode(decoder, frame(0x88, payload) + frame(0x82, packet(0))));
    EXPECT_TRUE(decoder.closed_by_peer());
    EXPECT_EQ(static_cast<int>(decoder.close_code()), code);
  }
}

TEST(WsFrameTest, GivesWhatCameBeforeAFaultAndNothingAfter) {
  WsDecoder decoder(10);
  EXPECT_EQ(decode(decoder, frame(0x82, packet(1)) + frame(0x81, "t") + frame(0x82, packet(2))), packet(1));
  EXPECT_TRUE(decoder.ended());
  EXPECT_FALSE(decoder.closed_by_peer());
  EXPECT_EQ(decoder.close_code(), WsCloseCode::kNotBinary);
  EXPECT_EQ(decode(decoder, frame(0x82, packet(3))), "");
}

}  // namespace
}  // namespace hongyan::gate
