#include "logic/user/slot_table.h"

#include <algorithm>

namespace hongyan::logic {

SlotStatus SlotTable::status(Slot slot) const {
  const auto it = slots_.find(slot);
  return it == slots_.end() ? SlotStatus::kNotOwned : it->second.status;
}

SlotState* SlotTable::find(Slot slot) {
  const auto it = slots_.find(slot);
  return it == slots_.end() ? nullptr : &it->second;
}

SlotState& SlotTable::acquire(const AcquiredSlot& acquired, std::size_t shard) {
  SlotState& state = slots_[acquired.slot];
  state.status = SlotStatus::kServing;
  state.epoch = acquired.epoch;
  state.shard = shard;
  state.sessions_known = false;
  state.mark_written = state.mark_sent = acquired.mark;
  return state;
}

void SlotTable::set_status(std::size_t shard, SlotStatus status) {
  for (auto& [slot, state] : slots_) {
    if (state.shard == shard) state.status = status;
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
    SlotState* state = find(update.slot);
    if (state == nullptr) continue;
    if (committed) {
      state->mark_written = std::max(state->mark_written, update.mark);
    } else {
      state->mark_sent = state->mark_written;
      touch(update.slot);
    }
  }
}

}  // namespace hongyan::logic
