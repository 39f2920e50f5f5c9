#include "common/owners/owner_table.h"

namespace hongyan::owners {

bool OwnerTable::settle(Slot slot) {
  Owner best;
  for (const auto& [node, claims] : claims_) {
    if (claims[slot] > best.epoch) best = {.node = node, .epoch = claims[slot]};
  }
  Owner& now = owners_[slot];
  if (now == best) return false;
  if (now.known() && !best.known()) ++unowned_;
  if (!now.known() && best.known()) --unowned_;
  now = best;
  return true;
}

std::vector<Slot> OwnerTable::announce(NodeId node, const Announcement& announcement) {
  Claims& claims = claims_[node];
  if (announcement.whole) claims = {};
  const auto each = [](const std::vector<OwnedRange>& ranges, auto&& visit) {
    for (const auto& range : ranges) {
      for (std::uint32_t slot = range.first; slot <= range.last && slot < kSlotCount; ++slot) {
        visit(slot, range.epoch);
      }
    }
  };
  each(announcement.removed, [&](std::uint32_t slot, std::uint64_t) { claims[slot] = 0; });
  each(announcement.added, [&](std::uint32_t slot, std::uint64_t epoch) { claims[slot] = epoch; });
  std::vector<Slot> changed;
  for (std::uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (settle(static_cast<Slot>(slot))) changed.push_back(static_cast<Slot>(slot));
  }
  return changed;
}

std::vector<Slot> OwnerTable::forget(NodeId node) {
  claims_.erase(node);
  std::vector<Slot> changed;
  for (std::uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (owners_[slot].node == node && settle(static_cast<Slot>(slot))) {
      changed.push_back(static_cast<Slot>(slot));
    }
  }
  return changed;
}

bool OwnerTable::not_owner(Slot slot, NodeId node, std::uint64_t known_epoch) {
  const Owner now = owners_[slot];
  if (!now.known()) return false;
  // A node that has heard of exactly our owner's epoch has heard of our owner, unless it is that owner.
  const bool stale = now.node == node ? now.epoch <= known_epoch : now.epoch < known_epoch;
  if (!stale) return false;
  claims_[now.node][slot] = 0;
  return settle(slot);
}

}  // namespace hongyan::owners
