// What carries packets between client and gate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hongyan::protocol {

// In the order of kTransportNames.
enum class TransportKind : std::uint8_t { kTcp, kTls, kWs, kWss };
inline constexpr std::size_t kTransportKinds = 4;
inline constexpr std::array<TransportKind, kTransportKinds> kAllTransports = {
    TransportKind::kTcp, TransportKind::kTls, TransportKind::kWs, TransportKind::kWss};
// As gates tell iplist, and clients ask it.
inline constexpr std::array<std::string_view, kTransportKinds> kTransportNames = {"tcp", "tls", "ws", "wss"};

[[nodiscard]] constexpr std::string_view to_string(TransportKind kind) noexcept {
  return kTransportNames[static_cast<std::size_t>(kind)];
}
[[nodiscard]] constexpr std::optional<TransportKind> parse_transport(std::string_view text) noexcept {
  for (const TransportKind kind : kAllTransports) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

}  // namespace hongyan::protocol
