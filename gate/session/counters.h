// What one loop of the gate counts. Written by its thread, read by any.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/metrics/tally.h"

namespace hongyan::gate {

// Why something of a client was refused, or its connection closed.
enum class Refusal : std::uint8_t {
  kBadHeader,
  kBadFraming,
  kBodyTooLarge,
  kVersion,
  kNotLoggedIn,
  kUnparsable,
  kTooManyUnparsable,
  kBadRequest,
  kServerOnly,
  kUnknownCommand,
  kOtherUser,
  kRateLimited,
  kTooManyConnections,
  kTooManyFromAddress,
  kLoginDeadline,
  kHeartbeat,
  kSlowConsumer,
  kHeldBytes,
  kStoodStill,
  kNoOwner,
  kDeadline,
  kByLogic,
  kRefusedLogins,
  kTooEarly,
  kConnectRate,
  kHandshakeRate,
  kTooManyHandshakes,
  kTooManyHandshakesFromAddress,
  kHandshakeFailed,
  kTooManyPending,
  kTooManyPendingFromAddress,
  kFailedLogins,
  kProxyHeader,
  kNoDescriptors,
  kNoPong,
};
struct RefusalName {
  Refusal refusal;
  std::string_view name;
};
inline constexpr auto kRefusals = std::to_array<RefusalName>({
    {Refusal::kBadHeader, "bad_header"},
    {Refusal::kBadFraming, "bad_framing"},
    {Refusal::kBodyTooLarge, "body_too_large"},
    {Refusal::kVersion, "version"},
    {Refusal::kNotLoggedIn, "not_logged_in"},
    {Refusal::kUnparsable, "unparsable"},
    {Refusal::kTooManyUnparsable, "many_unparsable"},
    {Refusal::kBadRequest, "bad_request"},
    {Refusal::kServerOnly, "server_only"},
    {Refusal::kUnknownCommand, "unknown"},
    {Refusal::kOtherUser, "other_user"},
    {Refusal::kRateLimited, "rate_limited"},
    {Refusal::kTooManyConnections, "connections"},
    {Refusal::kTooManyFromAddress, "address"},
    {Refusal::kLoginDeadline, "login_deadline"},
    {Refusal::kHeartbeat, "heartbeat"},
    {Refusal::kSlowConsumer, "slow_consumer"},
    {Refusal::kHeldBytes, "held_bytes"},
    {Refusal::kStoodStill, "stood_still"},
    {Refusal::kNoOwner, "no_owner"},
    {Refusal::kDeadline, "deadline"},
    {Refusal::kByLogic, "by_logic"},
    {Refusal::kRefusedLogins, "refused_logins"},
    {Refusal::kTooEarly, "too_early"},
    {Refusal::kConnectRate, "connect_rate"},
    {Refusal::kHandshakeRate, "handshake_rate"},
    {Refusal::kTooManyHandshakes, "handshakes"},
    {Refusal::kTooManyHandshakesFromAddress, "address_handshakes"},
    {Refusal::kHandshakeFailed, "handshake_failed"},
    {Refusal::kTooManyPending, "pending"},
    {Refusal::kTooManyPendingFromAddress, "address_pending"},
    {Refusal::kFailedLogins, "failed_logins"},
    {Refusal::kProxyHeader, "proxy_header"},
    {Refusal::kNoDescriptors, "descriptors"},
    {Refusal::kNoPong, "pong"},
});
static_assert([] {
  for (std::size_t i = 0; i < kRefusals.size(); ++i) {
    if (kRefusals[i].refusal != static_cast<Refusal>(i)) return false;
  }
  return true;
}());
[[nodiscard]] constexpr std::string_view to_string(Refusal refusal) noexcept {
  return kRefusals[static_cast<std::size_t>(refusal)].name;
}

using metrics::Tally;

struct Counters {
  static constexpr std::size_t kCommands = 80;  // above: counted under 0

  Tally accepted;
  Tally logins;
  Tally bytes_in;
  Tally bytes_out;
  Tally slow_consumers;
  Tally pushes_gone;
  Tally acks_dropped;
  Tally resent;  // requests forwarded again, to another owner
  std::array<Tally, kCommands> packets_in;
  std::array<Tally, kCommands> packets_out;
  std::array<Tally, kRefusals.size()> refusals;

  // Gauges, set once a tick.
  Tally connections;
  Tally logged_in;
  Tally in_flight;
  Tally held_requests;
  Tally held_bytes;
  Tally unowned_slots;
  Tally links;

  void packet_in(std::uint32_t cmd_id) noexcept { packets_in[cmd_id < kCommands ? cmd_id : 0].add(); }
  void packet_out(std::uint32_t cmd_id) noexcept { packets_out[cmd_id < kCommands ? cmd_id : 0].add(); }
  void refused(Refusal refusal) noexcept { refusals[static_cast<std::size_t>(refusal)].add(); }
};

}  // namespace hongyan::gate
