#include "logic/message/accept.h"

#include <algorithm>

#include "logic/message/fan_out_cost.h"
#include "logic/message/group_key.h"

namespace hongyan::logic {

namespace {
constexpr std::size_t kMostJoined = 64;  // requests answered by one send: it and its resends
}  // namespace

Status Accept::check_room(const User& user, std::int32_t command) const {
  if (context_.slots.status(user.slot) != SlotStatus::kServing || context_.shards.of(user.slot).down()) {
    return std::unexpected(storage_is_away());
  }
  const std::size_t most = command == client::COMMAND_S2C ? context_.config.max_sends_of_service
                                                          : context_.config.max_sends_of_user;
  if (user.accepting.size() >= most) {
    return fail(Code::kUnavailable, "too many sends of this user are under way", kRetryMs);
  }
  if (context_.counters.unfinished_bytes.load(std::memory_order_relaxed) >
      static_cast<std::int64_t>(context_.config.max_unfinished_bytes)) {
    return fail(Code::kUnavailable, "too much is waiting for delivery", kRetryMs);
  }
  return {};
}

bool Accept::pay(User& user, const Request& request, double cost) const {
  const Rate rate = user.rules->fan_out.rate();
  if (user.fan_out.take(cost, rate, context_.now())) return true;
  context_.limit(request.reply_to, Limited::kFanOut, "this user sends more than it may",
                 user.fan_out.wait_ms(rate.per_second));
  return false;
}

bool Accept::join(User& user, const Request& request, const Message& message) {
  const auto it = user.accepting.find(message.client_msg_id);
  if (it == user.accepting.end()) return false;
  AcceptWork& first = *it->second;
  if (first.message.target() != message.target()) {
    context_.refuse(request.reply_to, {Code::kAlreadyExists, "client_msg_id was used for another target"});
  } else if (first.waiting.size() >= kMostJoined) {
    context_.refuse(request.reply_to, {Code::kUnavailable, "this message is asked for too often", kRetryMs});
  } else {
    context_.counters.duplicates.add();
    first.waiting.push_back(request.reply_to);
  }
  return true;
}

void Accept::c2c(const Request& request) {
  if (!context_.parse(request, request_)) return;
  if (!request_.from().empty() && request_.from() != request.uid) {
    return context_.refuse(request.reply_to, {Code::kPermissionDenied, "from is not the session's user"});
  }
  Message message;
  message.to = std::move(*request_.mutable_to());
  message.client_msg_id = std::move(*request_.mutable_client_msg_id());
  message.content = share(std::move(*request_.mutable_content()));
  message.command = client::COMMAND_C2C_SEND;
  message.type = request_.msg_type();
  send(request, {.message = std::move(message)});
}

bool Accept::send(const Request& request, NewMessage wanted) {
  const auto refuse = [&](const Error& error) {
    context_.refuse(request.reply_to, error);
    return false;
  };
  Message& message = wanted.message;
  Status ok = is_for_group(message.command) ? Status() : check_id(message.to, kMaxUid, "to");
  if (ok) ok = check_id(message.client_msg_id, kMaxClientMsgId, "client_msg_id");
  if (!ok) return refuse(ok.error());
  if (!context_.holds(request.reply_to)) {
    context_.not_owner(request.reply_to);
    return false;
  }
  User& user = context_.users.get(request.app_id, request.uid, request.slot);
  if (join(user, request, message)) return false;
  if (ok = check_room(user, message.command); !ok) return refuse(ok.error());

  double paid = 0;
  if (!request.of_service()) {
    paid = static_cast<double>(wanted.cost == 0 ? cost_to_user(message) : wanted.cost);
    if (!pay(user, request, paid)) return false;
  }

  message.from = user.key.uid;
  message.sent_ms = context_.wall();
  auto work = std::make_unique<AcceptWork>(*this);
  work->user = user.key;
  SlotState& slot = *context_.slots.find(request.slot);
  work->slot = request.slot;
  work->slot_epoch = slot.epoch;
  work->thread = context_.index;
  work->deadline = context_.now() + context_.config.accept_deadline;
  work->message = std::move(message);
  work->unless_stored = std::move(wanted.unless_stored);
  work->owner = &user;
  work->paid = paid;
  work->waiting.push_back(request.reply_to);
  work->from_channel = request.channel;
  work->from_gate = request.reply_to.gate;
  work->ticket = slot.unfinished.begin(context_.clock.floor());
  user.accepting.emplace(work->message.client_msg_id, work.get());
  context_.shards.of(request.slot).submit(std::move(work));
  return true;
}

void Accept::answer(AcceptWork& work) {
  if (is_group_command(work.message.command)) return steps_.command_accepted(work);
  response_.Clear();
  response_.set_msg_id(work.message.id);
  response_.set_timestamp(work.message.sent_ms);
  response_.set_outbox_seq(work.seq);
  buffer_.clear();
  response_.AppendToString(&buffer_);
  for (const auto& to : work.waiting) reply(to, buffer_);
}

// `self` ends with the call.
void AcceptWork::come_back(std::unique_ptr<OutboxWork> /*self*/) { accept_.finished(*this); }

void Accept::finished(AcceptWork& work) {
  User& user = *work.owner;
  user.accepting.erase(work.message.client_msg_id);
  if (!context_.slots.holds(work.slot, work.slot_epoch)) return left(work);
  UnfinishedIds& unfinished = context_.slots.find(work.slot)->unfinished;
  context_.slots.touch(work.slot);
  if (work.outcome != StoreWork::Outcome::kStored)
    user.fan_out.give_back(work.paid, user.rules->fan_out.rate());

  switch (work.outcome) {
    case StoreWork::Outcome::kStored:
      unfinished.issued(work.ticket, work.message.id);
      user.outbox_seq = std::max(user.outbox_seq.value_or(0), work.seq);
      context_.counters.accepted.add();
      answer(work);
      steps_.accepted(work);
      return;
    case StoreWork::Outcome::kExists: {
      if (work.stored_for != work.message.target()) {
        unfinished.absent(work.ticket);
        for (const auto& to : work.waiting) {
          context_.refuse(to, {Code::kAlreadyExists, "client_msg_id was used for another target"});
        }
        return;
      }
      context_.counters.duplicates.add();
      const bool on_its_way = unfinished.contains(work.message.id);
      if (on_its_way) {
        unfinished.absent(work.ticket);
      } else {
        unfinished.issued(work.ticket, work.message.id);
      }
      answer(work);
      // It may have been stored by an attempt whose outcome was unknown. Fanning out again is harmless: the
      // inbox row is unique by msg_id.
      if (!on_its_way) steps_.accepted(work);
      return;
    }
    case StoreWork::Outcome::kRefused:
    case StoreWork::Outcome::kParked:
    case StoreWork::Outcome::kPending:
      unfinished.absent(work.ticket);
      // It may have been counted on that it adds some.
      if (UserGroup* group = user.group(work.message.group_id)) group->members = 0;
      for (const auto& to : work.waiting) refuse(to, work);
      return;
  }
}

// It is about to leave, as far as the writers know already.
void Accept::refuse(const ReplyTo& to, const AcceptWork& work) const {
  if (work.slot_lost) return context_.not_owner(to);
  context_.refuse(to, work.error);
}

// The slot has left meanwhile. What is stored is the next owner's to deliver, who finds it; so is a command's
// outcome: it gets the request from the gate.
void Accept::left(AcceptWork& work) {
  const bool stored =
      work.outcome == StoreWork::Outcome::kStored ||
      (work.outcome == StoreWork::Outcome::kExists && work.stored_for == work.message.target());
  if (!stored) {
    for (const auto& to : work.waiting) refuse(to, work);
  } else if (!is_group_command(work.message.command)) {
    answer(work);
  }
}

}  // namespace hongyan::logic
