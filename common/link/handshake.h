// What comes before a link: both sides prove that they know the cluster secret (common/link/hello.h).
#pragma once

#include <cstdint>
#include <string>

#include "common/link/hello.h"
#include "common/net/asio.h"

namespace hongyan::link {

// Largest body of a packet of a peer that has not proved itself yet; a hello has some hundred bytes.
inline constexpr std::size_t kMaxUnprovedBody = 1 << 10;

struct Proved {
  PeerInfo peer;
  std::string rest;  // bytes that came behind the proof
};

// Socket and identity outlive it; who awaits it closes the socket when it takes too long. worker: told to the
// peer. Errors: kUnavailable, the connection ended; kBadRequest and kVersionUnsupported, the peer is no link;
// kUnauthenticated.
[[nodiscard]] net::Awaitable<Result<Proved>> shake_hands(net::TcpSocket& socket, const Identity& identity,
                                                         Side side, std::uint32_t worker);

// "192.0.2.1:7100"; for logs.
[[nodiscard]] std::string address_of(const net::TcpSocket& socket);

}  // namespace hongyan::link
