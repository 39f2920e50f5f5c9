// Which node owns which slot, as a slot thread knows it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "common/owners/owner_table.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// By what this node holds and what others announce; the highest epoch wins. One thread.
class SlotOwners {
 public:
  // This node, among the numbers of links.
  static constexpr owners::NodeId kHere = UINT32_MAX;

  // Each returns the slots whose owner may be another one now.
  [[nodiscard]] std::vector<Slot> acquired(std::span<const AcquiredSlot> slots);
  [[nodiscard]] std::vector<Slot> announced(owners::NodeId node, const owners::Announcement& announcement) {
    return others_.announce(node, announcement);
  }
  [[nodiscard]] std::vector<Slot> gone(owners::NodeId node) { return others_.forget(node); }

  // Node 0: nobody is known to own it.
  [[nodiscard]] owners::Owner owner(Slot slot) const noexcept {
    if (elsewhere(slot)) return others_.owner(slot);
    return {.node = here_[slot] == 0 ? 0 : kHere, .epoch = here_[slot]};
  }
  [[nodiscard]] bool elsewhere(Slot slot) const noexcept { return others_.owner(slot).epoch > here_[slot]; }

 private:
  owners::OwnerTable others_;
  std::array<std::uint64_t, kSlotCount> here_{};  // epochs; 0: never held
};

}  // namespace hongyan::logic
