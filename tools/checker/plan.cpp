#include "tools/checker/plan.h"

#include <fmt/format.h>

#include <array>

namespace hongyan::checker {

namespace {

constexpr std::array<std::string_view, 18> kNames = {
    "kill-logic",    "kill-gate",   "kill-mysql", "kill-redis", "stop-logic", "stop-gate",
    "flush-redis",   "read-only",   "down-mysql", "stop-mysql", "slow-mysql", "cut-link",
    "restart-gates", "cut-clients", "half-open",  "never-read", "kick-race",  "reconnect"};
constexpr std::size_t kLargeBytes = 60 << 10;

std::string filled(Dice& dice, std::string tag, std::size_t size) {
  while (tag.size() < size) tag += static_cast<char>(dice.below(256));
  return tag;
}

}  // namespace

std::string_view name_of(Fault fault) noexcept { return kNames[static_cast<std::size_t>(fault)]; }

bool strikes_servers(Fault fault) noexcept { return fault < Fault::kCutClients; }

Result<std::set<Fault>> parse_faults(std::string_view text) {
  std::set<Fault> out;
  if (text == "none") return out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto word = text.substr(0, comma);
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    bool known = word == "all";
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (word != "all" && word != kNames[i]) continue;
      out.insert(static_cast<Fault>(i));
      known = true;
    }
    if (!known) {
      return fail(Code::kBadRequest,
                  fmt::format("no fault '{}'; there are: {}, all, none", word, fmt::join(kNames, ", ")));
    }
  }
  if (out.empty()) return fail(Code::kBadRequest, "no fault given; 'none' is one");
  return out;
}

std::string content_of(std::uint64_t seed, std::uint64_t number, bool large) {
  Dice dice(seed ^ (number * 0x9E3779B97F4A7C15));
  std::string tag = std::to_string(number) + ":";
  if (large) return filled(dice, std::move(tag), kLargeBytes);
  const auto kind = dice.below(100);
  if (kind < 8) return "";
  if (kind < 20) return tag + std::string("\0 \xff", 3);
  if (kind < 35) return tag + "\xF0\x9F\xA6\xA2\xE9\xB8\xBF\xE9\x9B\x81";
  if (kind < 98) return filled(dice, std::move(tag), dice.below(kind < 80 ? 200 : 2'000));
  return filled(dice, std::move(tag), dice.below(kLargeBytes));
}

Traffic::Traffic(std::uint64_t seed, std::size_t users, std::size_t targets, bool large)
    : seed_(seed), users_(users), targets_(targets), large_(large), dice_(seed) {}

PlannedSend Traffic::next() {
  const std::uint64_t number = number_++;
  PlannedSend out;
  out.sender = dice_.below(users_);
  out.device = dice_.below(1 << 20);
  out.receiver = dice_.below(targets_);
  // Conversations with several messages in flight and waiting, too: every second goes to a near neighbour.
  if (dice_.chance(0.5)) out.receiver = (out.sender + dice_.below(2)) % targets_;
  out.client_msg_id = fmt::format("m-{:x}-{}", seed_, number);
  out.content = content_of(seed_, number, large_);
  out.again = dice_.chance(0.02);
  return out;
}

Strikes::Strikes(std::uint64_t seed, const std::set<Fault>& faults, std::int64_t stop_ms)
    : stop_ms_(stop_ms), dice_(seed) {
  for (const Fault fault : faults) {
    if (strikes_servers(fault)) faults_.push_back(fault);
  }
}

Strike Strikes::next() {
  Strike out{.fault = faults_[dice_.below(faults_.size())], .target = dice_.below(1 << 20)};
  out.gap_ms = static_cast<std::int64_t>(200 + dice_.below(3'000));
  const auto roll = dice_.fraction();
  switch (out.fault) {
    case Fault::kStopLogic:
    case Fault::kStopGate:
    case Fault::kReadOnly:
    case Fault::kDownMysql:
    case Fault::kStopMysql:
    case Fault::kSlowMysql:
    case Fault::kCutLink:
      out.hold_ms = stop_ms_ > 0 ? stop_ms_ : static_cast<std::int64_t>(500 + roll * 9'500);
      break;
    case Fault::kFlushRedis:
      break;
    default:
      // Half of what is killed comes back at once.
      out.hold_ms = roll < 0.5 ? 0 : static_cast<std::int64_t>((roll - 0.5) * 8'000);
      break;
  }
  return out;
}

}  // namespace hongyan::checker
