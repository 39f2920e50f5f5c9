// The sequences of the users that a writer met: what keeps `max + 1` in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "common/base/clock.h"
#include "logic/store/box_works.h"

namespace hongyan::logic {

// A user's tails, under one lease of the user's slot. `inbox` and `outbox` are committed; `next_*` run ahead
// of them while a batch is under way.
struct UserTails {
  const UserKey* key = nullptr;
  std::int64_t inbox = 0;
  std::int64_t outbox = 0;
  std::int64_t next_inbox = 0;
  std::int64_t next_outbox = 0;
  SteadyTime careful_until{};    // a duplicate was seen: sends are looked up before insertion until then
  std::uint64_t generation = 0;  // of the cache when loaded; 0: unknown
  std::uint64_t lease = 0;       // slot epoch under which they were loaded
  std::uint64_t asked = 0;       // the load that asks for it: no user stands in one query twice
  UserTails* newer = nullptr;    // least recently used list
  UserTails* older = nullptr;
};

// LRU by number of users. References stay good until shrink(). One thread: its writer's.
class TailCache {
 public:
  explicit TailCache(std::size_t capacity) : capacity_(capacity) {}
  TailCache(const TailCache&) = delete;
  TailCache& operator=(const TailCache&) = delete;

  // Known or not; becomes the most recently used. What was known under another lease is not known any more.
  UserTails& get(const UserKey& key, std::uint64_t slot_epoch);
  [[nodiscard]] bool known(const UserTails& user) const noexcept { return user.generation == generation_; }
  void set(UserTails& user, std::int64_t inbox, std::int64_t outbox) noexcept;

  void forget(UserTails& user) noexcept { user.generation = 0; }
  void forget_all() noexcept { ++generation_; }
  // Drops the least recently used above the capacity. Between batches.
  void shrink();
  [[nodiscard]] std::size_t size() const noexcept { return users_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const UserKey& key) const noexcept {
      const std::hash<std::string_view> hash;
      return hash(key.uid) * 31 + hash(key.app_id);
    }
  };
  void unlink(UserTails& user) noexcept;
  void push_newest(UserTails& user) noexcept;

  const std::size_t capacity_;
  std::uint64_t generation_ = 1;
  std::unordered_map<UserKey, UserTails, Hash> users_;
  UserTails* newest_ = nullptr;
  UserTails* oldest_ = nullptr;
};

}  // namespace hongyan::logic
