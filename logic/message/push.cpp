#include "logic/message/push.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "logic/message/group_key.h"
#include "logic/message/push_bodies.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMostKept = 64;  // messages to many of one turn whose memory serves the next

}  // namespace

void Pusher::delivered(const DeliverWork& work) {
  User* user = context_.users.find(work.user.app_id, work.user.uid);
  if (user == nullptr) return;  // not online, and nothing else is known of it
  if (work.membership) user->groups.learn(*work.membership);
  if (work.group_members > 0) {
    if (UserGroup* group = user->group(work.message.group_id)) {
      group->members = static_cast<std::size_t>(work.group_members);
    }
  }
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
  const auto [it, added] = places_.try_emplace({message.id, message.content.get()}, gathered_count_);
  if (!added) return it->second;
  if (gathered_count_ == gathered_.size()) gathered_.emplace_back();
  Gathered& one = gathered_[gathered_count_++];
  one.cmd_id = push_command(message.command);
  one.seq_field = seq_field_of_group_push(message.command);
  one.content = message.content;
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
    acks_.sent(*session, {.seq = work.seq,
                          .msg_id = work.message.id,
                          .cmd_id = to.cmd_id,
                          .body = to.body,
                          .seq_field = to.seq_field});
  }
}

void Pusher::flush() {
  if (gathered_count_ == 0) return;
  const auto lost = [this](std::uint64_t number) {
    if (Session* session = acks_.find(number).session) session->behind = session->owes_ack = true;
  };
  for (Gathered& one : std::span(gathered_).first(gathered_count_)) {
    one.pushes.send(context_.counters, one.cmd_id, *one.body, one.seq_field, lost);
    one.content = one.body = nullptr;
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
  acks_.sent(session, {.seq = seq, .msg_id = msg_id, .cmd_id = cmd_id, .body = body});
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

}  // namespace hongyan::logic
