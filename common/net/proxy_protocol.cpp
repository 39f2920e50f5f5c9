#include "common/net/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

namespace hongyan::net {

namespace {

using Parsed = Result<std::optional<ProxyHeader>>;

constexpr std::string_view kV1 = "PROXY ";
constexpr std::string_view kV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kMostV1 = 107;  // with its line end
constexpr std::size_t kFixedV2 = 16;

bool may_begin(std::string_view bytes, std::string_view beginning) {
  return bytes.substr(0, beginning.size()) == beginning.substr(0, bytes.size());
}

Parsed bad(std::string_view what) { return fail(Code::kBadRequest, "PROXY header: " + std::string(what)); }

// The next word of a line; words are separated by exactly one space.
std::string_view take_word(std::string_view& line) {
  const auto space = line.find(' ');
  const auto word = line.substr(0, space);
  line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  return word;
}

bool is_port(std::string_view word) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), port);
  return failed == std::errc() && end == word.data() + word.size();
}

std::optional<asio::ip::address> address_of(std::string_view word, bool v4) {
  // Neither a scope nor what make_address() would not look at.
  if (word.find_first_of(std::string_view("%\0", 2)) != std::string_view::npos) return std::nullopt;
  error_code ec;
  auto address = asio::ip::make_address(std::string(word), ec);
  if (ec || address.is_v4() != v4) return std::nullopt;
  return address;
}

Parsed parse_v1(std::string_view bytes) {
  const auto end = bytes.substr(0, kMostV1).find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= kMostV1) return bad("the line is too long");
    return std::nullopt;
  }
  std::string_view line = bytes.substr(kV1.size(), end - kV1.size());
  ProxyHeader header{.size = end + 2, .client = std::nullopt};
  const auto family = take_word(line);
  if (family == "UNKNOWN") return header;  // whatever follows
  if (family != "TCP4" && family != "TCP6") return bad("unknown family");
  header.client = address_of(take_word(line), family == "TCP4");
  const auto to = address_of(take_word(line), family == "TCP4");
  if (!header.client || !to) return bad("bad address");
  const auto from_port = take_word(line);
  if (!is_port(from_port) || !is_port(line)) return bad("bad port");
  return header;
}

std::size_t number_of(std::string_view bytes, std::size_t at) {
  return static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[at])) << 8 |
         static_cast<std::uint8_t>(bytes[at + 1]);
}

template <typename Address>
Address read_address(std::string_view bytes) {
  typename Address::bytes_type raw;
  std::memcpy(raw.data(), bytes.data() + kFixedV2, raw.size());
  return Address(raw);
}

Parsed parse_v2(std::string_view bytes) {
  if (bytes.size() < kFixedV2) return std::nullopt;
  const auto version_and_command = static_cast<std::uint8_t>(bytes[12]);
  const auto family = static_cast<std::uint8_t>(bytes[13]);
  const std::size_t length = number_of(bytes, 14);
  if (version_and_command >> 4 != 2) return bad("unknown version");
  const unsigned command = version_and_command & 0x0F;
  if (command > 1) return bad("unknown command");
  if (family >> 4 > 3 || (family & 0x0F) > 2) return bad("unknown family");
  if (kFixedV2 + length > kMaxProxyHeader) return bad("too long");
  const bool local = command == 0;
  const bool v4 = !local && family >> 4 == 1;
  const bool v6 = !local && family >> 4 == 2;
  if ((v4 || v6) && (family & 0x0F) != 1) return bad("no stream");
  // Both addresses and both ports.
  if ((v4 && length < 12) || (v6 && length < 36)) return bad("the addresses are cut");
  if (bytes.size() < kFixedV2 + length) return std::nullopt;
  ProxyHeader header{.size = kFixedV2 + length, .client = std::nullopt};
  if (v4) header.client = read_address<asio::ip::address_v4>(bytes);
  if (v6) header.client = read_address<asio::ip::address_v6>(bytes);
  return header;
}

}  // namespace

Parsed parse_proxy_header(std::string_view bytes) {
  if (may_begin(bytes, kV1)) return bytes.size() < kV1.size() ? Parsed(std::nullopt) : parse_v1(bytes);
  if (may_begin(bytes, kV2)) return bytes.size() < kV2.size() ? Parsed(std::nullopt) : parse_v2(bytes);
  return bad("none");
}

}  // namespace hongyan::net
