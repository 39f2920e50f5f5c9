// Networks of addresses, as configurations name them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/net/asio.h"

namespace hongyan::net {

// An IPv4 address that a socket for IPv6 shows as "::ffff:192.0.2.1", as what it is; others as they are.
[[nodiscard]] asio::ip::address plain(const asio::ip::address& address);
// Its first so many bits; the others are 0. More bits than it has: the address.
[[nodiscard]] asio::ip::address masked(const asio::ip::address& address, unsigned bits);

// "10.0.0.0/8", "2001:db8::/32"; an address alone is a network of one.
class Network {
 public:
  // kBadRequest: no address, a length that it cannot have, or bits behind the length.
  [[nodiscard]] static Result<Network> parse(std::string_view text);

  [[nodiscard]] bool contains(const asio::ip::address& address) const;

 private:
  Network(const asio::ip::address& first, unsigned bits) : first_(first), bits_(bits) {}

  asio::ip::address first_;
  unsigned bits_;
};

[[nodiscard]] bool contains(std::span<const Network> networks, const asio::ip::address& address);

// What is wrong with the first bad one; "" when nothing is. For config::Schema::check.
[[nodiscard]] std::string check_networks(const std::vector<std::string>& texts);
// Those that check_networks() finds nothing wrong with.
[[nodiscard]] std::vector<Network> parse_networks(const std::vector<std::string>& texts);

}  // namespace hongyan::net
