// The mark of a slot: up to where everything has been fanned out.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "common/base/msg_id.h"
#include "common/base/slot.h"

namespace hongyan::logic {

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

}  // namespace hongyan::logic
