// What a node holds of a shard at one moment: what a write is built under, and checked against when it is
// committed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "common/base/slot.h"

namespace hongyan::logic {

// Epoch and barrier as in im_node, leases as in im_slot: all of one moment. A batch is built, written and
// settled under one of these; under another only after its open rows were filtered by that. Whoever takes a
// slot from the node raises the epoch or the barrier in the same transaction, so what is committed under both
// is in slots that the node holds.
struct Tenure {
  std::uint64_t epoch = 0;
  std::uint64_t barrier = 0;
  std::array<std::uint64_t, kSlotCount> slot_epochs{};  // 0: not ours

  [[nodiscard]] std::uint64_t slot_epoch(Slot slot) const noexcept { return slot_epochs[slot]; }
  [[nodiscard]] bool owns(Slot slot) const noexcept { return slot_epochs[slot] != 0; }
  // Whether the slot is held under the very lease that it was held under then.
  [[nodiscard]] bool still_holds(Slot slot, const Tenure& then) const noexcept {
    return owns(slot) && slot_epochs[slot] == then.slot_epochs[slot];
  }
};

// Never changes once made; never null where it is asked of ShardState.
using TenurePtr = std::shared_ptr<const Tenure>;

// What is told whose slot, or whose node's epoch, is another's.
inline constexpr const char* kNotOurs = "another node owns the slot";
inline constexpr const char* kFencedOff = "another process owns the slots";

}  // namespace hongyan::logic
