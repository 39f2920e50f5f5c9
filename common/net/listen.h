// Opening a listening socket.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/net/asio.h"

namespace hongyan::net {

// What is wrong with a host to listen on: it must be an address, or "". For config::Schema::check.
[[nodiscard]] std::string check_listen_host(const std::string& host);

// Opens, binds and listens. host: an address, or "" for all. Port 0: the system chooses. Never shares a port
// with another process: error kUnavailable "127.0.0.1:7000: Address already in use". backlog: at most
// somaxconn counts.
[[nodiscard]] Status listen(TcpAcceptor& acceptor, const std::string& host, std::uint16_t port,
                            int backlog = 4096);

// Opens a further acceptor on the port of `first`, so that each worker accepts for itself (SO_REUSEPORT;
// `first` must have been opened by listen_shared as well). The first of them fails when the port is taken by
// another process.
[[nodiscard]] Status listen_shared(TcpAcceptor& acceptor, const std::string& host, std::uint16_t port,
                                   bool first, int backlog = 4096);

}  // namespace hongyan::net
