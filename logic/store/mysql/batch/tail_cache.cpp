#include "logic/store/mysql/batch/tail_cache.h"

#include <utility>

namespace hongyan::logic {

UserTails& TailCache::get(const UserKey& key, std::uint64_t slot_epoch) {
  const auto [entry, made] = users_.try_emplace(key);
  UserTails& user = entry->second;
  if (std::exchange(user.lease, slot_epoch) != slot_epoch) forget(user);
  if (made) {
    user.key = &entry->first;
  } else if (newest_ == &user) {
    return user;
  } else {
    unlink(user);
  }
  push_newest(user);
  return user;
}

void TailCache::set(UserTails& user, std::int64_t inbox, std::int64_t outbox) noexcept {
  user.inbox = user.next_inbox = inbox;
  user.outbox = user.next_outbox = outbox;
  user.generation = generation_;
}

void TailCache::shrink() {
  while (users_.size() > capacity_) {
    UserTails& user = *oldest_;
    unlink(user);
    users_.erase(users_.find(*user.key));
  }
}

void TailCache::unlink(UserTails& user) noexcept {
  (user.newer == nullptr ? newest_ : user.newer->older) = user.older;
  (user.older == nullptr ? oldest_ : user.older->newer) = user.newer;
}

void TailCache::push_newest(UserTails& user) noexcept {
  user.newer = nullptr;
  user.older = newest_;
  if (newest_ != nullptr) newest_->newer = &user;
  newest_ = &user;
  if (oldest_ == nullptr) oldest_ = &user;
}

}  // namespace hongyan::logic
