#include "logic/login/session_table.h"

#include <algorithm>

#include "common/base/assert.h"

namespace hongyan::logic {

Session& SessionTable::add(User& user, Session session) {
  session.number = next_number_++;
  auto owned = std::make_unique<Session>(std::move(session));
  Session& added = *owned;
  by_channel_[name_of(*added.gate, added.channel)] = {.user = &user, .session = &added};
  if (added.expires_ms != 0) {
    by_expiry_[{added.expires_ms, added.number}] = {.user = &user, .session = &added};
  }
  context_.counters.sessions.fetch_add(1, std::memory_order_relaxed);
  make_present(user, std::move(owned));
  return added;
}

void SessionTable::make_present(User& user, std::unique_ptr<Session> session) {
  if (Session* present = user.session_of(session->device_class)) session->replaced = take(user, *present);
  Session& now = *user.sessions.emplace_back(std::move(session));
  if (user.sessions.size() == 1) online_.insert(&user);
  acks_.session_opened(user, now);
  routes_.put(user, now);
}

std::unique_ptr<Session> SessionTable::take(User& user, const Session& session) {
  const auto it =
      std::ranges::find(user.sessions, &session, [](const auto& one) -> const Session* { return one.get(); });
  HONGYAN_ASSERT(it != user.sessions.end());
  std::unique_ptr<Session> owned = std::move(*it);
  user.sessions.erase(it);
  acks_.session_closed(*owned);
  if (user.sessions.empty()) online_.erase(&user);
  return owned;
}

void SessionTable::drop(const Session& session) {
  const auto named = by_channel_.find(name_of(*session.gate, session.channel));
  if (named != by_channel_.end() && named->second.session == &session) by_channel_.erase(named);
  by_expiry_.erase({session.expires_ms, session.number});
  context_.counters.sessions.fetch_sub(1, std::memory_order_relaxed);
}

void SessionTable::forget(User& user) {
  if (user.sessions.empty()) return;
  user.for_each_session([this](const Session& session) { drop(session); });
  for (const auto& present : user.sessions) acks_.session_closed(*present);
  online_.erase(&user);
  user.sessions.clear();
}

void SessionTable::remove(User& user, Session& session, bool with_route, std::string_view reason) {
  if (!reason.empty() && session.told) {
    if (!session.end_reason.empty()) reason = session.end_reason;
    context_.tell(user, session, {.kind = Event::Kind::kLogout, .reason = reason});
  }
  drop(session);
  user.last_active_ms = std::max(user.last_active_ms, session.last_active_ms);

  Session* present = user.session_of(session.device_class);
  if (present != &session) {
    std::unique_ptr<Session>* place = &present->replaced;
    while (place->get() != &session) place = &(*place)->replaced;
    *place = std::move(session.replaced);
    return;
  }
  const auto gone = take(user, session);
  if (with_route) routes_.remove(user, *gone);
  if (!gone->replaced) return;
  Session& back = *gone->replaced;
  back.end_reason = {};
  make_present(user, std::move(gone->replaced));
  // What was pushed meanwhile went to the other one.
  if (user.inbox_seq) {
    acks_.sync_notify(user, back);
  } else {
    back.owes_ack = true;
  }
}

SessionTable::Live SessionTable::find(const GatePort& gate, std::uint64_t channel) const {
  const auto it = by_channel_.find(name_of(gate, channel));
  return it == by_channel_.end() ? Live{} : it->second;
}

SessionTable::Live SessionTable::expired(std::int64_t now_ms) const {
  if (by_expiry_.empty() || by_expiry_.begin()->first.first > now_ms) return {};
  return by_expiry_.begin()->second;
}

void SessionTable::online(std::string_view app_id, Slot slot, std::string_view after, std::size_t limit,
                          const std::function<void(const User&)>& visit) const {
  for (auto it = online_.upper_bound(OnlineKey{slot, app_id, after}); it != online_.end() && limit > 0;
       ++it) {
    if ((*it)->slot != slot || (*it)->key.app_id != app_id) return;
    visit(**it);
    --limit;
  }
}

}  // namespace hongyan::logic
