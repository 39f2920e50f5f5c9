// How two daemons prove to each other that they know the cluster secret.
//
//   client: HELLO (nonce c)          server: HELLO (nonce s)
//   client: PROOF                    server checks it, then PROOF
//
// A proof is HMAC-SHA256(secret, fields), each field with its length before it (4 bytes, network order):
// "hongyan link", the sender's side ("client" or "server"), then role, node id, boot id (both numbers in
// decimal) and nonce of the client, then the same of the server. The side ("client", "server") keeps a proof
// from being reflected, the nonces from being replayed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "proto/link.pb.h"

namespace hongyan::link {

inline constexpr std::uint32_t kLinkVersion = 2;
inline constexpr std::size_t kNonceSize = 16;

// Who this process is, to its peers.
struct Identity {
  Role role = ROLE_NONE;
  std::string node_id;        // unique in the cluster: "logic-1"
  std::uint64_t boot_id = 0;  // random, new at each start
  std::string secret;         // the cluster secret
};

// Who the other side proved to be.
struct PeerInfo {
  Role role = ROLE_NONE;
  std::string node_id;
  std::uint64_t boot_id = 0;
  std::uint32_t link_version = 0;
  std::uint32_t worker = 0;
  std::string address;  // of the socket, for logs
};

enum class Side : std::uint8_t { kClient, kServer };

[[nodiscard]] Hello make_hello(const Identity& identity, std::uint32_t worker);
// kVersionUnsupported, kBadRequest (no nonce, no node id) or fine.
[[nodiscard]] Status check_hello(const Hello& hello);

// The proof that `side` sends.
[[nodiscard]] std::string make_proof(std::string_view secret, Side side, const Hello& client,
                                     const Hello& server);
// Constant-time comparison.
[[nodiscard]] bool proof_matches(std::string_view mac, std::string_view expected) noexcept;

}  // namespace hongyan::link
