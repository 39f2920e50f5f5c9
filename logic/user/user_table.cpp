#include "logic/user/user_table.h"

#include <string>
#include <utility>

namespace hongyan::logic {

namespace {

// Of one trim(): ten of them a second keep up with any number of logins.
constexpr int kMostKept = 256;
constexpr int kMostForgotten = 4096;

}  // namespace

std::size_t UserTable::Hash::operator()(const KeyView& key) const noexcept {
  const std::hash<std::string_view> hash;
  return hash(key.uid) * 31 + hash(key.app_id);
}

UserTable::~UserTable() { lru_.clear(); }

User* UserTable::find(std::string_view app_id, std::string_view uid) {
  const auto it = users_.find(KeyView{app_id, uid});
  return it == users_.end() ? nullptr : it->second.get();
}

User& UserTable::get(std::string_view app_id, std::string_view uid, Slot slot) {
  User* user = find(app_id, uid);
  if (user == nullptr) {
    auto made = std::make_unique<User>();
    made->key = {.app_id = std::string(app_id), .uid = std::string(uid)};
    made->slot = slot;
    made->rules = &rules_of(app_id);
    user = made.get();
    of_slots_[slot].push_back(*user);
    users_.emplace(made->key, std::move(made));
  } else {
    lru_.erase(lru_.iterator_to(*user));
  }
  lru_.push_back(*user);
  return *user;
}

void UserTable::retire(Slot slot, const std::function<void(User&)>& leaving) {
  const auto of_slot = of_slots_.find(slot);
  if (of_slot == of_slots_.end()) return;
  while (!of_slot->second.empty()) {
    User& user = of_slot->second.front();
    leaving(user);
    user.retired = true;
    user.slot_hook.unlink();
    lru_.erase(lru_.iterator_to(user));
    auto owned = users_.extract(users_.find(KeyView{user.key.app_id, user.key.uid}));
    if (!user.unknown_to_all()) retired_.push_back(std::move(owned.mapped()));
  }
  of_slots_.erase(of_slot);
}

void UserTable::trim() {
  std::erase_if(retired_, [](const auto& user) { return user->unknown_to_all(); });
  // A bounded look: users that cannot go are put at the end.
  for (int kept = 0, forgotten = 0; full() && kept < kMostKept && forgotten < kMostForgotten;) {
    User& user = lru_.front();
    lru_.pop_front();
    if (user.evictable()) {
      users_.erase(users_.find(KeyView{user.key.app_id, user.key.uid}));
      ++forgotten;
    } else {
      lru_.push_back(user);
      ++kept;
    }
  }
}

void UserTable::for_each(const std::function<void(User&)>& visit) {
  for (auto& [key, user] : users_) visit(*user);
}

}  // namespace hongyan::logic
