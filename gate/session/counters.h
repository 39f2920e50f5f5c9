// What one worker counts. Written by its thread, read by any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

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
  kCount,
};
[[nodiscard]] constexpr std::string_view to_string(Refusal refusal) noexcept {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Refusal::kCount)> kNames = {
      "bad_header",      "bad_framing", "body_too_large", "version",   "not_logged_in", "unparsable",
      "many_unparsable", "bad_request", "server_only",    "unknown",   "other_user",    "rate_limited",
      "connections",     "address",     "login_deadline", "heartbeat", "slow_consumer", "held_bytes",
      "stood_still",     "no_owner",    "deadline",       "by_logic"};
  return kNames[static_cast<std::size_t>(refusal)];
}

// A number with one writing thread: cheaper than an atomic increment.
class Tally {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

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
  std::array<Tally, static_cast<std::size_t>(Refusal::kCount)> refusals;

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
