// What goes wrong in a run, and when.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace hongyan::simulator {

enum class FaultKind : std::uint8_t {
  kCrashNode,
  kFreezeNode,
  kStopNode,
  kRemoveNode,  // for long
  kCrashGate,
  kFreezeGate,
  kCutDatabase,  // between a node and a shard
  kCutLink,      // between a gate and a node
  kLoseAnswers,  // of a shard
  kDatabaseDown,
  kDatabaseSlow,
  kDatabaseReadOnly,
  kDatabaseClock,
  kNodeClock,
  kNoNewConnections,  // to a shard, which loses some of those that there are
  kRedisEmptied,
  kCutClients,
  kMoveSlots,  // a node that lives is to have none
  kCutNodes,   // from each other; only where they share the slots
  kCount
};

enum class Direction : std::uint8_t { kThere, kBack, kBoth };

struct Fault {
  FaultKind kind = FaultKind::kCrashNode;
  std::size_t first = 0;   // node, gate or shard
  bool of_leader = false;  // instead of the first: the node that leads then
  std::size_t second = 0;  // of a cut: the other end
  Direction direction = Direction::kBoth;
  Milliseconds at{0};
  Milliseconds lasts{0};
  double strength = 0;  // in [0, 1)
};

[[nodiscard]] std::string describe(const Fault& fault);

// Whether `first` is a node.
[[nodiscard]] bool is_of_node(FaultKind kind) noexcept;

struct Shape {
  std::size_t nodes = 3;
  std::size_t gates = 2;
  std::size_t shards = 2;
};

// The plan follows from the seed alone: leaving one of its faults out leaves the others as they are.
[[nodiscard]] std::vector<Fault> plan(std::uint64_t seed, const Shape& shape, Milliseconds time, bool shares);

}  // namespace hongyan::simulator
