#include "common/net/network.h"

#include <algorithm>
#include <charconv>

namespace hongyan::net {

namespace {

template <typename Bytes>
Bytes first_bits(Bytes bytes, unsigned bits) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned kept = std::min(8U, bits);
    bits -= kept;
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xFF00U >> kept));
  }
  return bytes;
}

Error bad(std::string_view text) {
  return {Code::kBadRequest, "\"" + std::string(text) + R"(" is no network: "192.0.2.0/24" is)"};
}

}  // namespace

asio::ip::address plain(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

asio::ip::address masked(const asio::ip::address& address, unsigned bits) {
  if (address.is_v4()) return asio::ip::address_v4(first_bits(address.to_v4().to_bytes(), bits));
  return asio::ip::address_v6(first_bits(address.to_v6().to_bytes(), bits));
}

Result<Network> Network::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::unexpected(bad(text));
  const auto slash = text.find('/');
  error_code ec;
  const auto written = asio::ip::make_address(std::string(text.substr(0, slash)), ec);
  if (ec || (written.is_v6() && written.to_v6().scope_id() != 0)) return std::unexpected(bad(text));
  const auto first = plain(written);
  const unsigned most = first.is_v4() ? 32 : 128;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view length = text.substr(slash + 1);
    const auto [end, failed] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (failed != std::errc() || end != length.data() + length.size() || bits > most || written != first) {
      return std::unexpected(bad(text));
    }
  }
  if (masked(first, bits) != first) return std::unexpected(bad(text));
  return Network(first, bits);
}

bool Network::contains(const asio::ip::address& address) const {
  const auto wanted = plain(address);
  return wanted.is_v4() == first_.is_v4() && masked(wanted, bits_) == first_;
}

bool contains(std::span<const Network> networks, const asio::ip::address& address) {
  return std::ranges::any_of(networks, [&](const Network& network) { return network.contains(address); });
}

std::string check_networks(const std::vector<std::string>& texts) {
  for (const auto& text : texts) {
    if (const auto parsed = Network::parse(text); !parsed) return parsed.error().message;
  }
  return {};
}

std::vector<Network> parse_networks(const std::vector<std::string>& texts) {
  std::vector<Network> networks;
  for (const auto& text : texts) {
    if (auto parsed = Network::parse(text)) networks.push_back(*parsed);
  }
  return networks;
}

}  // namespace hongyan::net
