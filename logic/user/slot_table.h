// The slots of one slot thread: whether they are served, and which of their messages are unfinished.
#pragma once

#include <cstdint>
#include <unordered_map>
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
  bool sessions_known = false;  // the gates have announced theirs, or had their time
  UnfinishedIds unfinished;
  MsgId mark_written = 0;  // as committed in im_slot
  MsgId mark_sent = 0;     // on its way there
};

// One thread.
class SlotTable {
 public:
  [[nodiscard]] SlotStatus status(Slot slot) const;
  // The state of a slot that is owned; made when it is acquired.
  [[nodiscard]] SlotState* find(Slot slot);
  SlotState& acquire(const AcquiredSlot& acquired, std::size_t shard);
  void set_status(std::size_t shard, SlotStatus status);
  // Remembers that the slot's mark may have moved.
  void touch(Slot slot) { changed_.insert(slot); }

  // Marks of this shard's slots that moved since they were last written.
  [[nodiscard]] std::vector<MarkUpdate> take_marks(std::size_t shard);
  // The outcome of writing them: on failure they are due again.
  void marks_written(const std::vector<MarkUpdate>& marks, bool committed);

 private:
  std::unordered_map<Slot, SlotState> slots_;
  std::unordered_set<Slot> changed_;
};

}  // namespace hongyan::logic
