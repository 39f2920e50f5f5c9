// Which logic node owns which slot, by what the nodes say of themselves.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "common/base/slot.h"

namespace hongyan::owners {

// A link to a logic node, numbered by its user; 0: none. A link that comes up again has a new number.
using NodeId = std::uint32_t;

struct Owner {
  NodeId node = 0;
  std::uint64_t epoch = 0;

  [[nodiscard]] bool known() const noexcept { return node != 0; }
  bool operator==(const Owner&) const = default;
};

struct OwnedRange {
  Slot first = 0;
  Slot last = 0;
  std::uint64_t epoch = 0;
};

// What a node says of itself.
struct Announcement {
  bool whole = true;                     // it replaces what the node said before; else it changes that
  std::vector<OwnedRange> added;         // all, or what has come
  std::vector<OwnedRange> removed = {};  // what has gone
};

// The highest epoch wins. Pure; one thread.
class OwnerTable {
 public:
  // The node says what it owns. Returns the slots whose owner or epoch changed.
  std::vector<Slot> announce(NodeId node, const Announcement& announcement);
  // The link to the node is down. Returns the slots that lost their owner.
  std::vector<Slot> forget(NodeId node);
  // `node` says that it does not own the slot, and that the highest epoch it knows is `known_epoch`. True:
  // the slot's owner changed (mostly to none).
  bool not_owner(Slot slot, NodeId node, std::uint64_t known_epoch);

  [[nodiscard]] const Owner& owner(Slot slot) const noexcept { return owners_[slot]; }
  [[nodiscard]] std::size_t unowned() const noexcept { return unowned_; }

 private:
  using Claims = std::array<std::uint64_t, kSlotCount>;  // epoch by slot; 0: not claimed
  // Finds the slot's owner anew; true: it changed.
  bool settle(Slot slot);

  std::map<NodeId, Claims> claims_;
  std::array<Owner, kSlotCount> owners_{};
  std::size_t unowned_ = kSlotCount;
};

}  // namespace hongyan::owners
