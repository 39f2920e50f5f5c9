// The slots of one slot thread: whether they are served, and which of their messages are unfinished.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/msg_id.h"
#include "common/base/slot.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

enum class SlotStatus : std::uint8_t {
  kNotOwned,
  kServing,
  kSuspended,  // the lease stands, but the shard's beat cannot be written
};

// Unfinished ids of one slot and the mark that follows from them (design: "mark").
//
// An id counts as unfinished from before it is issued: begin() takes the clock's floor as a stand-in until
// the writer tells the id (issued) or that there is none (absent). An id is unfinished as many times as it
// was added: once for a message of a user, once for each member's row of a group's. Fan-outs that stand in
// im_pending do not hold the mark.
class UnfinishedIds {
 public:
  using Ticket = std::multiset<MsgId>::const_iterator;

  // Every id issued later is greater than the floor.
  [[nodiscard]] Ticket begin(MsgId floor) { return floors_.insert(floor); }
  void absent(Ticket ticket) { floors_.erase(ticket); }
  void issued(Ticket ticket, MsgId id) {
    floors_.erase(ticket);
    add(id);
  }
  void add(MsgId id, std::uint32_t times = 1) {
    ids_[id] += times;
    if (id > highest_) highest_ = id;
  }
  // One of the times is over.
  void release(MsgId id);
  // Its row at this destination is committed. True: nothing of it is left.
  bool finished(MsgId id, Slot destination);
  [[nodiscard]] bool contains(MsgId id) const;

  // One of the times stands in im_pending, or will before the mark passes it.
  void moved_to_pending(MsgId id, Slot destination);
  // And back: it was not written there.
  void back_from_pending(MsgId id, Slot destination);
  // True: the row in im_pending is to be deleted when it is finished.
  [[nodiscard]] bool is_pending(MsgId id, Slot destination) const {
    return pending_.contains({id, destination});
  }
  // Redo: it stands in im_pending.
  void add_pending(MsgId id, Slot destination) { ++pending_[{id, destination}]; }

  // Ids up to here are finished or in im_pending.
  [[nodiscard]] MsgId mark() const;

 private:
  // A floor may equal an issued id (the last one), so they are kept apart.
  std::multiset<MsgId> floors_;
  std::map<MsgId, std::uint32_t> ids_;
  // A group's message may be due to several members of one destination slot.
  std::map<std::pair<MsgId, Slot>, std::uint32_t> pending_;
  MsgId highest_ = 0;
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
