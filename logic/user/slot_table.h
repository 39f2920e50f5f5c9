// The slots of one slot thread: whether they are served, and which of their messages are unfinished.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "common/base/clock.h"
#include "common/base/msg_id.h"
#include "common/base/slot.h"
#include "logic/store/shard.h"
#include "logic/user/unfinished_ids.h"

namespace hongyan::logic {

enum class SlotStatus : std::uint8_t {
  kNotOwned,
  kServing,
  kSuspended,  // the lease stands, but the shard's beat cannot be written
};

struct SlotState {
  SlotStatus status = SlotStatus::kNotOwned;
  std::uint64_t epoch = 0;
  std::size_t shard = 0;
  SteadyTime acquired_at{};
  std::uint64_t version = 0;    // of the announcement that told gates of it
  bool sessions_known = false;  // the gates have announced theirs, or had their time
  UnfinishedIds unfinished;
  MsgId mark_written = 0;  // as committed in im_slot
  MsgId mark_sent = 0;     // on its way there
};

// A slot's epoch names the time for which it is held here: it is never held twice under the same. So what was begun
// is known by it when it comes back. One thread.
class SlotTable {
 public:
  SlotTable() : slots_(kSlotCount), last_epochs_(kSlotCount) {}

  [[nodiscard]] SlotStatus status(Slot slot) const noexcept {
    const SlotState* state = slots_[slot].get();
    return state == nullptr ? SlotStatus::kNotOwned : state->status;
  }
  // The state of a slot that is owned; made when it is acquired. Null: it is not.
  [[nodiscard]] SlotState* find(Slot slot) const noexcept { return slots_[slot].get(); }
  // Whether it is held under this very epoch.
  [[nodiscard]] bool holds(Slot slot, std::uint64_t epoch) const noexcept {
    const SlotState* state = slots_[slot].get();
    return state != nullptr && state->epoch == epoch;
  }
  // The highest epoch that was ever heard of here; 0: none.
  [[nodiscard]] std::uint64_t last_epoch(Slot slot) const noexcept { return last_epochs_[slot]; }
  SlotState& acquire(const AcquiredSlot& acquired, std::size_t shard);
  // It is not owned any more.
  void forget(Slot slot);
  void set_status(std::size_t shard, SlotStatus status);
  // Remembers that the slot's mark may have moved.
  void touch(Slot slot) { changed_.insert(slot); }

  // Marks of this shard's slots that moved since they were last written.
  [[nodiscard]] std::vector<MarkUpdate> take_marks(std::size_t shard);
  // The outcome of writing them: on failure they are due again, of slots that are still held.
  void marks_written(const std::vector<MarkUpdate>& marks, bool committed);

 private:
  std::vector<std::unique_ptr<SlotState>> slots_;  // null: not owned
  std::vector<std::uint64_t> last_epochs_;
  std::unordered_set<Slot> changed_;
};

}  // namespace hongyan::logic
