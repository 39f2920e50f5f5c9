#include "tests/simulator/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <string_view>

namespace hongyan::simulator {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(FaultKind::kCount)> kNames{
    "node crashes",   "node stands still",  "node stops",    "node is removed",
    "gate crashes",   "gate stands still",  "database cut",  "link cut",
    "answers lost",   "database down",      "database slow", "database read-only",
    "database clock", "node's clock ahead", "redis emptied", "clients cut"};
constexpr std::uint64_t kPlanSeed = 0x9E3779B97F4A7C15;
constexpr Milliseconds kFirst{1500};
constexpr Milliseconds kTimePerFault{1600};

}  // namespace

std::string describe(const Fault& fault) {
  constexpr std::array<std::string_view, 3> kDirections{"there", "back", "both ways"};
  return fmt::format("{:.3f}s {} ({}, {}) {} for {:.3f}s, {:.2f}",
                     static_cast<double>(fault.at.count()) / 1000,
                     kNames[static_cast<std::size_t>(fault.kind)], fault.first, fault.second,
                     kDirections[static_cast<std::size_t>(fault.direction)],
                     static_cast<double>(fault.lasts.count()) / 1000, fault.strength);
}

std::vector<Fault> plan(std::uint64_t seed, const Shape& shape, Milliseconds time) {
  std::mt19937_64 generator(seed ^ kPlanSeed);
  const auto draw = [&generator](std::uint64_t below) {
    return static_cast<std::size_t>(generator() % below);
  };
  std::vector<Fault> faults(1 + draw(static_cast<std::uint64_t>(time / kTimePerFault) + 1));
  for (Fault& fault : faults) {
    fault.kind = static_cast<FaultKind>(draw(static_cast<std::uint64_t>(FaultKind::kCount)));
    const bool of_gate = fault.kind == FaultKind::kCrashGate || fault.kind == FaultKind::kFreezeGate ||
                         fault.kind == FaultKind::kCutLink;
    const bool of_shard = fault.kind == FaultKind::kLoseAnswers || fault.kind == FaultKind::kDatabaseDown ||
                          fault.kind == FaultKind::kDatabaseSlow ||
                          fault.kind == FaultKind::kDatabaseReadOnly ||
                          fault.kind == FaultKind::kDatabaseClock;
    fault.first = draw(of_gate ? shape.gates : of_shard ? shape.shards : shape.nodes);
    fault.second = draw(fault.kind == FaultKind::kCutDatabase ? shape.shards : shape.nodes);
    fault.direction = static_cast<Direction>(draw(3));
    fault.at =
        kFirst +
        Milliseconds(draw(static_cast<std::uint64_t>(std::max(time - kFirst, Milliseconds(1)).count())));
    fault.lasts = Milliseconds(50 + (draw(3) == 0 ? draw(8000) : draw(2500)));
    fault.strength = static_cast<double>(draw(1000)) / 1000;
  }
  std::ranges::sort(faults, {}, &Fault::at);
  return faults;
}

}  // namespace hongyan::simulator
