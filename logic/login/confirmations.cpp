#include "logic/login/confirmations.h"

#include <utility>

#include "logic/login/kick.h"

namespace hongyan::logic {

void Confirmations::await(User& user, Session& session) {
  if (!session.replaced) return confirm(user, session);
  unconfirmed_.push_back({.until = context_.now() + kPatience,
                          .gate = session.gate,
                          .channel = session.channel,
                          .session = session.number});
}

void Confirmations::confirm(User& user, Session& session) {
  while (session.replaced) {
    Session& older = *session.replaced;
    const bool same_device = is_same_device(older, session.device_id);
    kick_older(context_, older.gate, older.channel, same_device);
    table_.remove(user, older, false, reason_of_older(same_device));
  }
  if (std::exchange(session.told, true)) return;
  context_.tell(user, session, {.kind = Event::Kind::kLogin});
}

void Confirmations::tick() {
  while (!unconfirmed_.empty() && unconfirmed_.front().until <= context_.now()) {
    const Unconfirmed one = std::move(unconfirmed_.front());
    unconfirmed_.pop_front();
    const auto live = table_.find(*one.gate, one.channel);
    if (live.session != nullptr && live.session->number == one.session) confirm(*live.user, *live.session);
  }
}

}  // namespace hongyan::logic
