// The PROXY protocol, versions 1 and 2: by it a proxy tells the address of the client that it speaks for.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "common/base/result.h"
#include "common/net/asio.h"

namespace hongyan::net {

struct ProxyHeader {
  std::size_t size = 0;  // what follows is the client's
  // None: the proxy speaks for itself (a health check), or does not know.
  std::optional<asio::ip::address> client;
};

inline constexpr std::size_t kMaxProxyHeader = 4096;

// The header at the beginning of a connection; what follows it is not looked at. nullopt: all of `bytes` belongs
// to the header, and more is to come. kBadRequest: it is none. Pure.
[[nodiscard]] Result<std::optional<ProxyHeader>> parse_proxy_header(std::string_view bytes);

}  // namespace hongyan::net
