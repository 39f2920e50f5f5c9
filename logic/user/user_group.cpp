#include "logic/user/user_group.h"

#include <algorithm>
#include <utility>

namespace hongyan::logic {

namespace {

UserGroup::Span readable_of(const Membership& stay) {
  return {.first = stay.first_readable(), .last = stay.last_readable()};
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

}  // namespace hongyan::logic
