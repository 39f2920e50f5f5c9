#include "logic/message/push.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "common/log/log.h"
#include "logic/message/group_key.h"
#include "logic/message/push_bodies.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMostKept = 64;  // messages to many of one turn whose memory serves the next

}  // namespace

void Pusher::delivered(const DeliverWork& work) {
  User* user = context_.users.find(work.user.app_id, work.user.uid);
  if (user == nullptr) return;  // not online, and nothing else is known of it
  if (work.membership) user->groups[work.membership->group_id].learn(*work.membership);
  // A row stored just now is the tail; one that was there before says nothing about an unknown tail.
  if (user->inbox_seq || work.outcome == StoreWork::Outcome::kStored) {
    user->inbox_seq = std::max(user->inbox_seq.value_or(0), work.seq);
  }
  if (user->sessions.empty()) return;
  const Message& message = work.message;
  if (is_for_group(message.command)) return gather(*user, work);

  const std::uint32_t command = push_command(message.command);
  const auto body = push_body(message, work.seq);
  for (auto& session : user->sessions) push(*user, *session, command, work.seq, message.id, body);
}

bool Pusher::push_unstored(const User& user, const client::S2CPush& message) {
  const std::string body = message.SerializeAsString();
  bool taken = false;
  for (const auto& session : user.sessions) {
    const std::array<std::uint64_t, 1> channels = {session->channel};
    if (!session->gate->push(user.slot, client::COMMAND_S2C, channels, body)) continue;
    context_.counters.pushed.add();
    taken = true;
  }
  return taken;
}

bool Pusher::takes(const User& user, Session& session, std::int64_t seq) const {
  if (seq <= user.acked_inbox[static_cast<std::size_t>(session.device_class)]) return false;
  // A row found again after a later one went out: the device sees the gap and pulls. Keeps unacked in order.
  if (!session.unacked.empty() && seq <= session.unacked.back().seq) return false;
  if (session.behind) return false;
  session.behind = session.unacked.size() >= context_.config.push_window;
  return !session.behind;
}

std::size_t Pusher::place_of(const DeliverWork& work) {
  const Message& message = work.message;
  const auto [it, added] = places_.try_emplace(message.id, gathered_count_);
  if (!added) return it->second;
  if (gathered_count_ == gathered_.size()) gathered_.emplace_back();
  Gathered& one = gathered_[gathered_count_++];
  one.cmd_id = push_command(message.command);
  one.seq_field = seq_field_of_group_push(message.command);
  one.body = group_push_body(message);
  return it->second;
}

void Pusher::gather(const User& user, const DeliverWork& work) {
  for (const auto& session : user.sessions) {
    if (!takes(user, *session, work.seq)) continue;
    std::size_t place = place_of(work);
    // Members get the messages of two groups in different orders, but each in that of its inbox.
    if (session->push_round == round_ && place < session->push_place) {
      flush();
      place = place_of(work);
    }
    session->push_round = round_;
    session->push_place = place;
    Gathered& to = gathered_[place];
    to.pushes.add(*session, user.slot, work.seq);
    sent(*session, {.seq = work.seq,
                    .msg_id = work.message.id,
                    .cmd_id = to.cmd_id,
                    .body = to.body,
                    .seq_field = to.seq_field});
  }
}

void Pusher::flush() {
  if (gathered_count_ == 0) return;
  const auto lost = [this](std::uint64_t number) {
    if (Session* session = find(number).session) session->behind = session->owes_ack = true;
  };
  for (Gathered& one : std::span(gathered_).first(gathered_count_)) {
    one.pushes.send(context_.counters, one.cmd_id, *one.body, one.seq_field, lost);
    one.body = nullptr;
  }
  if (gathered_.size() > kMostKept) gathered_.resize(kMostKept);
  gathered_count_ = 0;
  places_.clear();
  ++round_;
}

void Pusher::push(User& user, Session& session, std::uint32_t cmd_id, std::int64_t seq, MsgId msg_id,
                  const SharedBytes& body) {
  if (!takes(user, session, seq)) return;
  if (session.push_round == round_) flush();  // what was gathered for it comes first
  const std::array<std::uint64_t, 1> channels = {session.channel};
  if (!session.gate->push(user.slot, cmd_id, channels, *body)) {
    // The link is gone or full. The gate announces the session again, or drops it.
    session.behind = session.owes_ack = true;
    return;
  }
  context_.counters.pushed.add();
  sent(session, {.seq = seq, .msg_id = msg_id, .cmd_id = cmd_id, .body = body});
}

void Pusher::sent(Session& session, UnackedPush push) {
  const auto size = static_cast<std::int64_t>(push.body->size());
  if (retained_bytes_ + size <= static_cast<std::int64_t>(context_.config.max_retained_push_bytes)) {
    retain(size);
  } else {
    push.body = nullptr;
  }
  timers_.start({.session = session.number, .seq = push.seq});
  session.unacked.push_back(std::move(push));
}

void Pusher::accepted(const AcceptWork& work) {
  const User& user = *work.owner;
  if (user.sessions.size() < 2) return;
  const std::string body = sent_push_body(work.message, work.seq);
  for (const auto& session : user.sessions) {
    if (session->channel == work.from_channel && session->gate == work.from_gate) continue;
    const std::array<std::uint64_t, 1> channels = {session->channel};
    if (!session->gate->push(user.slot, client::COMMAND_SENT_PUSH, channels, body)) {
      session->behind = session->owes_ack = true;
    }
  }
}

void Pusher::ack(const Request& request) {
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

void Pusher::acked_inbox(User& user, Session* session, DeviceClass device_class, std::int64_t seq) {
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

void Pusher::acked_outbox(User& user, DeviceClass device_class, std::int64_t seq) {
  if (!cursors_.acked(user, device_class, CursorKind::kOutbox, seq)) {
    context_.counters.bad_acks.add();
  }
}

void Pusher::sign_of_life(User& user, Session& session) {
  session.last_active_ms = context_.wall();
  if (!session.owes_ack) return;
  session.owes_ack = false;
  const std::int64_t held = user.acked_inbox[static_cast<std::size_t>(session.device_class)];
  if (session.behind || user.inbox_seq.value_or(0) > held) sync_notify(user, session);
}

void Pusher::sync_notify(const User& user, Session& session, std::int64_t group_id, std::int64_t group_seq) {
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

void Pusher::session_closed(Session& session) {
  for (const auto& push : session.unacked) {
    if (push.body) retain(-static_cast<std::int64_t>(push.body->size()));
  }
  session.unacked.clear();
  session.behind = false;
  live_.erase(session.number);
}

Pusher::Live Pusher::find(std::uint64_t session) const {
  const auto it = live_.find(session);
  return it == live_.end() ? Live{} : it->second;
}

void Pusher::due(const Awaited& awaited) {
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
