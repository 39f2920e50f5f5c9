#include "logic/user/slot_owners.h"

namespace hongyan::logic {

std::vector<Slot> SlotOwners::acquired(std::span<const AcquiredSlot> slots) {
  std::vector<Slot> changed;
  for (const AcquiredSlot& acquired : slots) {
    if (here_[acquired.slot] == acquired.epoch) continue;
    here_[acquired.slot] = acquired.epoch;
    changed.push_back(acquired.slot);
  }
  return changed;
}

}  // namespace hongyan::logic
