#include "logic/message/push_acks.h"

#include <algorithm>
#include <array>

#include "common/log/log.h"

namespace hongyan::logic {

void PushAcks::sent(Session& session, UnackedPush push) {
  const auto size = static_cast<std::int64_t>(push.body->size());
  if (retained_bytes_ + size <= static_cast<std::int64_t>(context_.config.max_retained_push_bytes)) {
    retain(size);
  } else {
    push.body = nullptr;
  }
  timers_.start({.session = session.number, .seq = push.seq});
  session.unacked.push_back(std::move(push));
}

void PushAcks::ack(const Request& request) {
  if (!parse(ack_, request.body)) {
    return context_.counters.bad_acks.add();
  }
  User* user = context_.users.find(request.app_id, request.uid);
  if (user == nullptr) return;
  Session* session = user->session_on(*request.reply_to.gate, request.channel);
  if (session == nullptr) return;
  context_.counters.acked.add();
  if (ack_.seq() > 0) acked_inbox(*user, session, session->device_class, ack_.seq());
  if (ack_.outbox_seq() > 0) acked_outbox(*user, session->device_class, ack_.outbox_seq());
  if (ack_.group_id() != 0 && ack_.group_seq() > 0) {
    steps_.group_acked(*user, session->device_class, ack_.group_id(), ack_.group_seq());
  } else if (ack_.seq() == 0 && ack_.msg_id() != 0) {
    std::erase_if(session->unacked, [this](const UnackedPush& push) {
      if (push.msg_id != ack_.msg_id()) return false;
      if (push.body) retain(-static_cast<std::int64_t>(push.body->size()));
      return true;
    });
  }
  sign_of_life(*user, *session);
}

void PushAcks::acked_inbox(User& user, Session* session, DeviceClass device_class, std::int64_t seq) {
  if (!cursors_.acked(user, device_class, CursorKind::kInbox, seq)) {
    return context_.counters.bad_acks.add();
  }
  if (session == nullptr) return;
  while (!session->unacked.empty() && session->unacked.front().seq <= seq) {
    if (session->unacked.front().body) {
      retain(-static_cast<std::int64_t>(session->unacked.front().body->size()));
    }
    session->unacked.pop_front();
  }
  if (session->behind && session->unacked.size() <= context_.config.push_window / 2) {
    session->behind = false;
    if (user.inbox_seq.value_or(0) > seq) sync_notify(user, *session);
  }
}

void PushAcks::acked_outbox(User& user, DeviceClass device_class, std::int64_t seq) {
  if (!cursors_.acked(user, device_class, CursorKind::kOutbox, seq)) {
    context_.counters.bad_acks.add();
  }
}

void PushAcks::sign_of_life(User& user, Session& session) {
  session.last_active_ms = context_.wall();
  if (!session.owes_ack) return;
  session.owes_ack = false;
  const std::int64_t held = user.acked_inbox[static_cast<std::size_t>(session.device_class)];
  if (session.behind || user.inbox_seq.value_or(0) > held) sync_notify(user, session);
}

void PushAcks::sync_notify(const User& user, Session& session, std::int64_t group_id,
                           std::int64_t group_seq) {
  client::SyncNotify notify;
  notify.set_inbox_seq(user.inbox_seq.value_or(0));
  notify.set_outbox_seq(user.outbox_seq.value_or(0));
  notify.set_group_id(group_id);
  notify.set_group_seq(group_seq);
  const std::array<std::uint64_t, 1> channels = {session.channel};
  if (!session.gate->push(user.slot, client::COMMAND_SYNC_NOTIFY, channels, notify.SerializeAsString())) {
    session.owes_ack = true;
  }
}

void PushAcks::session_closed(Session& session) {
  for (const auto& push : session.unacked) {
    if (push.body) retain(-static_cast<std::int64_t>(push.body->size()));
  }
  session.unacked.clear();
  session.behind = false;
  live_.erase(session.number);
}

PushAcks::Live PushAcks::find(std::uint64_t session) const {
  const auto it = live_.find(session);
  return it == live_.end() ? Live{} : it->second;
}

void PushAcks::due(const Awaited& awaited) {
  const auto live = live_.find(awaited.session);
  if (live == live_.end()) return;
  User& user = *live->second.user;
  Session& session = *live->second.session;
  const auto push = std::ranges::lower_bound(session.unacked, awaited.seq, {}, &UnackedPush::seq);
  if (push == session.unacked.end() || push->seq != awaited.seq) return;  // acknowledged
  if (!awaited.again) {
    if (push->body) {
      const std::array<std::uint64_t, 1> channels = {session.channel};
      const std::array<std::int64_t, 1> seqs = {push->seq};
      PushSeqs with_seq;
      if (push->seq_field != 0) with_seq = {.of_channels = seqs, .field = push->seq_field};
      static_cast<void>(session.gate->push(user.slot, push->cmd_id, channels, *push->body, with_seq));
      retain(-static_cast<std::int64_t>(push->body->size()));
      push->body = nullptr;
    } else {
      sync_notify(user, session);
    }
    context_.counters.resent.add();
    timers_.start({.session = awaited.session, .seq = awaited.seq, .again = true});
    return;
  }
  context_.counters.undelivered.add();
  log::debug("push", "undelivered uid={} channel={} id={}", log::quoted(user.key.uid), session.channel,
             push->msg_id);
  context_.tell(user, session,
                {.kind = Event::Kind::kUndelivered, .seq = push->seq, .message = {.id = push->msg_id}});
  session.owes_ack = true;
  session.unacked.erase(push);
}

}  // namespace hongyan::logic
