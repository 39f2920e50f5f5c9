#include "logic/user/slot_table.h"

#include <algorithm>

namespace hongyan::logic {

SlotState& SlotTable::acquire(const AcquiredSlot& acquired, std::size_t shard) {
  slots_[acquired.slot] = std::make_unique<SlotState>();
  SlotState& state = *slots_[acquired.slot];
  last_epochs_[acquired.slot] = acquired.epoch;
  state.status = SlotStatus::kServing;
  state.epoch = acquired.epoch;
  state.shard = shard;
  state.mark_written = state.mark_sent = acquired.mark;
  return state;
}

void SlotTable::forget(Slot slot) {
  slots_[slot].reset();
  changed_.erase(slot);
}

void SlotTable::set_status(std::size_t shard, SlotStatus status) {
  for (const auto& state : slots_) {
    if (state && state->shard == shard) state->status = status;
  }
}

std::vector<MarkUpdate> SlotTable::take_marks(std::size_t shard) {
  std::vector<MarkUpdate> marks;
  for (auto it = changed_.begin(); it != changed_.end();) {
    SlotState* state = find(*it);
    if (state == nullptr) {
      it = changed_.erase(it);
      continue;
    }
    if (state->shard != shard) {
      ++it;
      continue;
    }
    const MsgId mark = state->unfinished.mark();
    if (mark > state->mark_sent) {
      marks.push_back({.slot = *it, .epoch = state->epoch, .mark = mark});
      state->mark_sent = mark;
    }
    it = changed_.erase(it);
  }
  return marks;
}

void SlotTable::marks_written(const std::vector<MarkUpdate>& marks, bool committed) {
  for (const auto& update : marks) {
    if (!holds(update.slot, update.epoch)) continue;
    SlotState* state = find(update.slot);
    if (committed) {
      state->mark_written = std::max(state->mark_written, update.mark);
    } else {
      state->mark_sent = state->mark_written;
      touch(update.slot);
    }
  }
}

}  // namespace hongyan::logic
