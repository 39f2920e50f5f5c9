#include "logic/user/user_table.h"

#include <algorithm>
#include <utility>

namespace hongyan::logic {

namespace {

// Of one trim(): ten of them a second keep up with any number of logins.
constexpr int kMostKept = 256;
constexpr int kMostForgotten = 4096;

}  // namespace

Session* User::session_of(DeviceClass wanted) noexcept {
  for (auto& session : sessions) {
    if (session->device_class == wanted) return session.get();
  }
  return nullptr;
}

Session* User::session_on(const GatePort& gate, std::uint64_t channel) noexcept {
  for (auto& session : sessions) {
    if (session->channel == channel && session->gate->boot_id() == gate.boot_id()) return session.get();
  }
  return nullptr;
}

std::size_t UserTable::Hash::operator()(const KeyView& key) const noexcept {
  const std::hash<std::string_view> hash;
  return hash(key.uid) * 31 + hash(key.app_id);
}

namespace {

// What is read from the group itself: what changed the user's own part came by the inbox.
UserGroup::Span readable_of(const Membership& stay) {
  if (stay.large_from_seq == 0) return {.first = 1, .last = 0};
  return {.first = std::max(stay.large_from_seq, stay.joined_seq + 1),
          .last = stay.left_seq == 0 ? UserGroup::kNoEnd : stay.left_seq - 1};
}

}  // namespace

void UserGroup::learn(const Membership& told) {
  const bool newer = told.joined_seq > latest_.joined_seq;
  if (told.joined_seq == latest_.joined_seq) {
    if (told.changed_seq > latest_.changed_seq) latest_ = told;
    return;
  }
  // An earlier stay counts once its end is known.
  const Membership earlier = newer ? std::exchange(latest_, told) : told;
  const Span span = readable_of(earlier);
  if (span.first > span.last || span.last == kNoEnd) return;
  const auto at = std::ranges::lower_bound(earlier_, span.first, {}, &Span::first);
  if (at == earlier_.end() || at->first != span.first) earlier_.insert(at, span);
}

std::optional<UserGroup::Span> UserGroup::readable_after(std::int64_t seq) const noexcept {
  const auto it = std::ranges::find_if(earlier_, [seq](const Span& span) { return span.last > seq; });
  if (it != earlier_.end()) return *it;
  const Span latest = readable_of(latest_);
  if (latest.first > latest.last || latest.last <= seq) return {};
  return latest;
}

std::int64_t UserGroup::cursor(DeviceClass device_class) const noexcept {
  const std::int64_t held = acked[static_cast<std::size_t>(device_class)];
  const auto next = readable_after(held);
  return next ? std::max(held, next->first - 1) : held;
}

UserGroup* User::group(std::int64_t group_id) noexcept {
  const auto it = groups.find(group_id);
  return it == groups.end() ? nullptr : &it->second;
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
    user = made.get();
    users_.emplace(made->key, std::move(made));
  } else {
    lru_.erase(lru_.iterator_to(*user));
  }
  lru_.push_back(*user);
  return *user;
}

void UserTable::trim() {
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
