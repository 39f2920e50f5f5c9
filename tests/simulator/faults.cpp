#include "tests/simulator/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <string_view>

namespace hongyan::simulator {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(FaultKind::kCount)> kNames{
    "node crashes",      "node stands still",  "node stops",     "node is removed",    "gate crashes",
    "gate stands still", "database cut",       "link cut",       "answers lost",       "database down",
    "database slow",     "database read-only", "database clock", "node's clock ahead", "no new connections",
    "redis emptied",     "clients cut",        "slots move",     "nodes cut"};
constexpr std::uint64_t kPlanSeed = 0x9E3779B97F4A7C15;
constexpr Milliseconds kEarly{1500};
constexpr Milliseconds kServing{6500};  // by then somebody leads in all shards
constexpr Milliseconds kTimePerFault{1600};

// A seed's faults are of all kinds, or of a few that have to do with each other.
const std::vector<std::vector<FaultKind>> kThemes{
    {},
    {},
    {FaultKind::kMoveSlots, FaultKind::kMoveSlots, FaultKind::kMoveSlots, FaultKind::kLoseAnswers,
     FaultKind::kDatabaseSlow, FaultKind::kCutDatabase, FaultKind::kFreezeNode, FaultKind::kRemoveNode},
    {FaultKind::kCutDatabase, FaultKind::kCutDatabase, FaultKind::kLoseAnswers, FaultKind::kStopNode},
    {FaultKind::kLoseAnswers, FaultKind::kStopNode, FaultKind::kFreezeNode, FaultKind::kCrashNode},
    {FaultKind::kDatabaseSlow, FaultKind::kDatabaseDown, FaultKind::kDatabaseReadOnly,
     FaultKind::kLoseAnswers, FaultKind::kStopNode},
    {FaultKind::kCutLink, FaultKind::kCrashGate, FaultKind::kFreezeGate, FaultKind::kCutClients,
     FaultKind::kCrashNode},
};

const std::vector<std::vector<FaultKind>> kSharedThemes{
    {},
    {},
    {FaultKind::kCutNodes},
    {FaultKind::kCutNodes, FaultKind::kFreezeNode, FaultKind::kCrashNode},
    {FaultKind::kCutNodes, FaultKind::kCutDatabase, FaultKind::kLoseAnswers, FaultKind::kDatabaseSlow},
    {FaultKind::kCutNodes, FaultKind::kCutLink, FaultKind::kStopNode},
};

}  // namespace

std::string describe(const Fault& fault) {
  constexpr std::array<std::string_view, 3> kDirections{"there", "back", "both ways"};
  return fmt::format("{:.3f}s {} ({}, {}) {} for {:.3f}s, {:.2f}",
                     static_cast<double>(fault.at.count()) / 1000,
                     kNames[static_cast<std::size_t>(fault.kind)],
                     fault.of_leader ? "who leads" : std::to_string(fault.first), fault.second,
                     kDirections[static_cast<std::size_t>(fault.direction)],
                     static_cast<double>(fault.lasts.count()) / 1000, fault.strength);
}

bool is_of_node(FaultKind kind) noexcept {
  return kind == FaultKind::kCrashNode || kind == FaultKind::kFreezeNode || kind == FaultKind::kStopNode ||
         kind == FaultKind::kRemoveNode || kind == FaultKind::kCutDatabase || kind == FaultKind::kNodeClock ||
         kind == FaultKind::kMoveSlots || kind == FaultKind::kCutNodes;
}

namespace {

// Who leads is asked to stop, or to give its slots up, while its writers cannot find out what became of what they sent
// last.
void add_stuck_writers(std::vector<Fault>& faults, const Shape& shape,
                       const std::function<std::size_t(std::uint64_t)>& draw) {
  Fault stuck = faults.front();
  stuck.kind = FaultKind::kNoNewConnections;
  stuck.first = draw(shape.shards);
  stuck.of_leader = false;
  stuck.lasts = Milliseconds(6000 + draw(3000));
  Fault stop = stuck;
  stop.kind = draw(2) == 0 ? FaultKind::kStopNode : FaultKind::kMoveSlots;
  stop.first = draw(shape.nodes);
  stop.of_leader = true;
  stop.at += Milliseconds(250 + draw(300));
  stop.lasts = Milliseconds(50 + draw(4000));
  faults.push_back(stuck);
  faults.push_back(stop);
}

}  // namespace

std::vector<Fault> plan(std::uint64_t seed, const Shape& shape, Milliseconds time, bool shares) {
  std::mt19937_64 generator(seed ^ kPlanSeed);
  const auto draw = [&generator](std::uint64_t below) {
    return static_cast<std::size_t>(generator() % below);
  };
  const auto& themes = shares ? kSharedThemes : kThemes;
  const auto& kinds = themes[draw(themes.size())];
  const auto all = static_cast<std::uint64_t>(FaultKind::kCount) - (shares ? 0 : 1);
  const double weight = 0.4 + static_cast<double>(draw(1000)) / 500;
  const auto most = static_cast<std::uint64_t>(weight * static_cast<double>(time / kTimePerFault)) + 1;
  std::vector<Fault> faults(1 + draw(most));
  for (Fault& fault : faults) {
    fault.kind = kinds.empty() ? static_cast<FaultKind>(draw(all)) : kinds[draw(kinds.size())];
    const bool of_node = is_of_node(fault.kind);
    const bool of_gate = fault.kind == FaultKind::kCrashGate || fault.kind == FaultKind::kFreezeGate ||
                         fault.kind == FaultKind::kCutLink;
    fault.first = draw(of_node ? shape.nodes : of_gate ? shape.gates : shape.shards);
    fault.of_leader = draw(3) != 0 && of_node;
    fault.second = draw(fault.kind == FaultKind::kCutDatabase ? shape.shards : shape.nodes);
    fault.direction = static_cast<Direction>(draw(3));
    const Milliseconds first = draw(5) == 0 || time <= kServing ? std::min(kEarly, time) : kServing;
    fault.at = first + Milliseconds(draw(static_cast<std::uint64_t>((time - first).count()) + 1));
    fault.lasts = Milliseconds(50 + (draw(2) == 0 ? draw(8000) : draw(2500)));
    fault.strength = static_cast<double>(draw(1000)) / 1000;
  }
  if (draw(5) == 0) add_stuck_writers(faults, shape, draw);
  std::ranges::sort(faults, {}, &Fault::at);
  return faults;
}

}  // namespace hongyan::simulator
