#include "logic/user/unfinished_ids.h"

#include <algorithm>

namespace hongyan::logic {

void UnfinishedIds::release(MsgId id) {
  const auto it = ids_.find(id);
  if (it != ids_.end() && --it->second == 0) ids_.erase(it);
}

bool UnfinishedIds::finished(MsgId id, Slot destination) {
  const auto it = pending_.find({id, destination});
  if (it == pending_.end()) {
    release(id);
  } else if (--it->second == 0) {
    pending_.erase(it);
  }
  return !contains(id);
}

bool UnfinishedIds::contains(MsgId id) const {
  if (ids_.contains(id)) return true;
  const auto it = pending_.lower_bound({id, 0});
  return it != pending_.end() && it->first.first == id;
}

void UnfinishedIds::moved_to_pending(MsgId id, Slot destination) {
  release(id);
  ++pending_[{id, destination}];
}

void UnfinishedIds::back_from_pending(MsgId id, Slot destination) {
  const auto it = pending_.find({id, destination});
  if (it == pending_.end()) return;  // finished meanwhile
  add(id, it->second);
  pending_.erase(it);
}

MsgId UnfinishedIds::mark() const {
  MsgId mark = ids_.empty() ? highest_ : ids_.begin()->first - 1;
  if (!floors_.empty()) mark = std::min(mark, *floors_.begin());
  return mark;
}

}  // namespace hongyan::logic
