// What the parts of one slot thread's pipeline share.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "common/base/clock.h"
#include "common/base/msg_id.h"
#include "common/base/slot.h"
#include "logic/store/shard_set.h"
#include "logic/user/config.h"
#include "logic/user/counters.h"
#include "logic/user/events.h"
#include "logic/user/gate_port.h"
#include "logic/user/request.h"
#include "logic/user/slot_owners.h"
#include "logic/user/slot_table.h"
#include "logic/user/turns.h"
#include "logic/user/user_table.h"
#include "proto/parse.h"

namespace hongyan::logic {

[[nodiscard]] inline Error storage_is_away() { return {Code::kUnavailable, "storage is away", kRetryMs}; }

// State and ports of one slot thread. Everything here is touched by that thread only, but for what says
// otherwise.
struct ThreadContext {
  std::uint32_t index = 0;  // of this slot thread
  std::uint32_t thread_count = 1;
  const PipelineConfig& config;
  ShardSet& shards;   // shared, immutable
  MsgIdClock& clock;  // shared, lock-free
  PipelineCounters& counters;
  Turns& turns;
  EventSink* events = nullptr;         // null: events are not wanted
  bool stored_events = false;          // of messages, too
  const RulesOfApps* rules = nullptr;  // null: the defaults
  std::function<SteadyTime()> now = [] { return SteadyClock::now(); };
  std::function<std::int64_t()> wall = wall_ms;

  SlotTable slots;
  SlotOwners owners{};
  UserTable users{config.users_in_memory, rules};

  [[nodiscard]] const AppRules& rules_of(std::string_view app_id) const noexcept {
    return users.rules_of(app_id);
  }

  // Runs f on this slot thread, in a turn of its own. Any thread may call it.
  void later(std::function<void()> f) const { turns.later(std::move(f)); }

  // Answers with RATE_LIMITED: a limit of the user's is reached.
  void limit(const ReplyTo& to, Limited which, const char* what, std::uint32_t retry_after_ms) const {
    counters.limited[static_cast<std::size_t>(which)].add();
    refuse(to, {Code::kRateLimited, what, retry_after_ms});
  }

  // Whether the lease under which a request was taken still stands.
  [[nodiscard]] bool holds(const ReplyTo& to) const noexcept {
    return to.slot_epoch == 0 || slots.holds(to.slot, to.slot_epoch);
  }

  // Nothing was done: the slot's owner is to be asked.
  void not_owner(const ReplyTo& to) const {
    counters.not_owner.add();
    if (to.seq != 0) to.gate->respond_not_owner(to.seq, to.slot, slots.last_epoch(to.slot));
  }

  // Answers with the error and counts it. Where the slot has left meanwhile, its next owner is to be asked instead,
  // unless it may have been done.
  void refuse(const ReplyTo& to, const Error& error) const {
    if (!holds(to) && error.code != Code::kDeadlineExceeded) return not_owner(to);
    counters.refused[static_cast<std::size_t>(error.code)].add();
    reply_error(to, error);
  }

  // Reads the request's body. False: it is no such message, and the request is refused.
  [[nodiscard]] bool parse(const Request& request, google::protobuf::MessageLite& body) const {
    if (hongyan::parse(body, request.body)) return true;
    refuse(request.reply_to, {Code::kBadRequest, "body does not parse"});
    return false;
  }

  // Whether the slot is served now: nobody else can have taken it over unnoticed.
  [[nodiscard]] bool serves(Slot slot) const {
    return slots.status(slot) == SlotStatus::kServing && shards.of(slot).serving();
  }
  // The same for a request, under the lease it was taken under. False: it is refused.
  [[nodiscard]] bool serves(const Request& request) const {
    if (holds(request.reply_to) && serves(request.slot)) return true;
    refuse(request.reply_to, storage_is_away());
    return false;
  }

  // Tells what happened to the user's session.
  void tell(const User& user, const Session& session, Event event) const {
    if (events == nullptr) return;
    event.id = clock.next();
    event.time_ms = wall();
    event.app_id = user.key.app_id;
    event.uid = user.key.uid;
    event.session_id = session.id();
    event.device_type = session.device_type;
    event.device_id = session.device_id;
    event.gate = session.gate->gate_id();
    events->publish(std::move(event));
  }

  // Tells of a row that is newly in the user's outbox.
  void tell_stored(const OutboxWork& work) const {
    if (events == nullptr || !stored_events) return;
    Message told = work.message;
    told.content = told.mentions = nullptr;
    events->publish({.kind = Event::Kind::kStored,
                     .id = clock.next(),
                     .time_ms = told.sent_ms,
                     .app_id = work.user.app_id,
                     .uid = work.user.uid,
                     .seq = work.seq,
                     .message = std::move(told)});
  }

  // This node's slot thread for the slot, whoever owns it.
  [[nodiscard]] std::uint32_t thread_of(Slot slot) const noexcept { return slot % thread_count; }
};

}  // namespace hongyan::logic
