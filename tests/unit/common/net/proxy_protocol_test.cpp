#include "common/net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <vector>

namespace hongyan::net {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string v2(std::uint8_t version_and_command, std::uint8_t family, const std::string& rest,
               int length = -1) {
  std::string out(kSignature);
  out += static_cast<char>(version_and_command);
  out += static_cast<char>(family);
  const auto size = length < 0 ? rest.size() : static_cast<std::size_t>(length);
  out += static_cast<char>(size >> 8);
  out += static_cast<char>(size);
  return out + rest;
}
const std::string kTwoV4 = {'\xc0', '\0', '\2',   '\1',   '\x0a', '\0',
                            '\0',   '\1', '\x30', '\x39', '\x1b', '\x58'};

std::string two_v6() {
  std::string from(16, '\0');
  from[0] = '\x20';
  from[1] = '\x01';
  from[15] = '\7';
  return from + std::string(16, '\1') + std::string(4, '\0');
}

// "" when it names none.
std::string client_of(std::string_view bytes) {
  const auto parsed = parse_proxy_header(bytes);
  if (!parsed) return "error: " + parsed.error().message;
  if (!*parsed) return "more";
  return (*parsed)->client ? (*parsed)->client->to_string() : "";
}

TEST(ProxyProtocolTest, ReadsVersion1) {
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.1 10.0.0.1 12345 7000\r\n"), "192.0.2.1");
  EXPECT_EQ(client_of("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), "2001:db8::1");
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "");
  EXPECT_EQ(client_of("PROXY UNKNOWN ffff::1 whatever 65535 65535\r\n"), "");
}

TEST(ProxyProtocolTest, ReadsVersion2) {
  EXPECT_EQ(client_of(v2(0x21, 0x11, kTwoV4)), "192.0.2.1");
  EXPECT_EQ(client_of(v2(0x21, 0x21, two_v6())), "2001::7");
  EXPECT_EQ(client_of(v2(0x21, 0x11, kTwoV4 + std::string("\x04\0\1x", 4))), "192.0.2.1");  // with a TLV
  EXPECT_EQ(client_of(v2(0x20, 0x00, "")), "");                                             // LOCAL
  EXPECT_EQ(client_of(v2(0x20, 0x11, kTwoV4)), "");
  EXPECT_EQ(client_of(v2(0x21, 0x00, "")), "");                      // unspecified
  EXPECT_EQ(client_of(v2(0x21, 0x31, std::string(216, '\0'))), "");  // a UNIX socket
}

TEST(ProxyProtocolTest, TellsWhereTheClientsBytesBegin) {
  for (const std::string& header : {std::string("PROXY TCP4 192.0.2.1 10.0.0.1 12345 7000\r\n"),
                                    v2(0x21, 0x11, kTwoV4 + "tlv"), std::string("PROXY UNKNOWN\r\n")}) {
    const auto parsed = parse_proxy_header(header + "\r\nPROXY");
    ASSERT_TRUE(parsed.has_value() && parsed->has_value());
    EXPECT_EQ((*parsed)->size, header.size());
  }
}

TEST(ProxyProtocolTest, WaitsForTheRestAtEveryByte) {
  for (const std::string& header : {std::string("PROXY TCP4 192.0.2.1 10.0.0.1 12345 7000\r\n"),
                                    v2(0x21, 0x11, kTwoV4), v2(0x21, 0x21, two_v6())}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(client_of(std::string_view(header).substr(0, size)), "more") << size;
    }
  }
}

TEST(ProxyProtocolTest, RefusesWhatIsNoHeader) {
  const std::vector<std::string> refused = {
      "GET / HTTP/1.1\r\n",
      "X",
      "proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n",
      std::string("\0\0\0\x14", 4),
      "\r\n\r\nX",
      "PROXY \r\n",
      "PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n",
      "PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n",
      "PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 1  2\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1\r\n",
      "PROXY TCP4\r\n",
      "PROXY TCP4 192.0.2 10.0.0.1 1 2\r\n",
      "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
      "PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n",
      "PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 65536 2\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 -1 2\r\n",
      "PROXY TCP4 192.0.2.1 10.0.0.1 1 0x2\r\n",
      "PROXY TCP4 localhost 10.0.0.1 1 2\r\n",
      std::string("PROXY TCP4 192.0.2.1\0 10.0.0.1 1 2\r\n", 36),
      "PROXY " + std::string(101, 'x'),  // 107 bytes without an end
      "PROXY UNKNOWN " + std::string(200, 'x') + "\r\n",
      v2(0x11, 0x11, kTwoV4),
      v2(0x31, 0x11, kTwoV4),
      v2(0x22, 0x11, kTwoV4),
      v2(0x2F, 0x11, kTwoV4),
      v2(0x21, 0x41, kTwoV4),
      v2(0x21, 0x13, kTwoV4),
      v2(0x21, 0x12, kTwoV4),  // UDP
      v2(0x21, 0x10, kTwoV4),
      v2(0x21, 0x11, kTwoV4.substr(0, 11)),
      v2(0x21, 0x21, two_v6().substr(0, 35)),
      v2(0x21, 0x11, kTwoV4, 0xFFFF),
  };
  for (const auto& bytes : refused) EXPECT_TRUE(client_of(bytes).starts_with("error")) << bytes;
}

}  // namespace
}  // namespace hongyan::net
