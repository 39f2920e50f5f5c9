// What a run does, from its seed alone: who sends what to whom, and which faults come in which order. Pure.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace hongyan::checker {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  // Below n; n above 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  // In [0, 1).
  [[nodiscard]] double fraction() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  [[nodiscard]] bool chance(double probability) { return fraction() < probability; }

 private:
  std::mt19937_64 engine_;
};

enum class Fault : std::uint8_t {
  kKillLogic,
  kKillGate,
  kKillMysql,
  kKillRedis,
  kStopLogic,
  kStopGate,
  kFlushRedis,
  kReadOnly,
  kDownMysql,
  kStopMysql,
  kSlowMysql,
  kCutLink,
  kRestartGates,
  kCutClients,  // from here on: as long as the run
  kHalfOpen,
  kNeverRead,
  kKickRace,
  kReconnect,
};
[[nodiscard]] std::string_view name_of(Fault fault) noexcept;
// "kill-logic,flush-redis"; "all"; "none". Errors: kBadRequest.
[[nodiscard]] Result<std::set<Fault>> parse_faults(std::string_view text);
// Done to a server, one after the other; the others last as long as the run.
[[nodiscard]] bool strikes_servers(Fault fault) noexcept;

// Text, emoji, NUL and 0xff, nothing at all, up to 60 KB.
[[nodiscard]] std::string content_of(std::uint64_t seed, std::uint64_t number, bool large);

struct PlannedSend {
  std::size_t sender = 0;  // index of a user
  std::size_t device = 0;  // a random number: modulo the sender's devices
  std::size_t receiver = 0;
  std::string client_msg_id = {};
  std::string content = {};
  bool again = false;  // once acknowledged, sent once more with the same client_msg_id
};

struct PlannedGroupSend {
  std::size_t sender = 0;
  std::size_t device = 0;
  std::int64_t group_id = 0;
  std::string client_msg_id = {};
  std::string content = {};
  bool again = false;
};

class Traffic {
 public:
  // large: all messages have 60 KB. targets: only the first so many users receive.
  Traffic(std::uint64_t seed, std::size_t users, std::size_t targets, bool large);
  [[nodiscard]] PlannedSend next();

 private:
  const std::uint64_t seed_;
  const std::size_t users_;
  const std::size_t targets_;
  const bool large_;
  Dice dice_;
  std::uint64_t number_ = 0;
};

struct Strike {
  Fault fault = Fault::kKillLogic;
  std::uint64_t target = 0;  // modulo how many there are
  std::int64_t gap_ms = 0;   // before it, after the one before was repaired
  std::int64_t hold_ms = 0;  // until it is repaired
};

class Strikes {
 public:
  // faults: of those that strike servers, at least one. stop_ms: of what is stopped, read-only, down, slow or
  // cut off; 0: from the seed up to 10 s.
  Strikes(std::uint64_t seed, const std::set<Fault>& faults, std::int64_t stop_ms);
  [[nodiscard]] Strike next();

 private:
  std::vector<Fault> faults_;
  const std::int64_t stop_ms_;
  Dice dice_;
};

}  // namespace hongyan::checker
