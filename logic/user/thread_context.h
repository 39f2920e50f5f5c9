// What the parts of one slot thread's pipeline share.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/msg_id.h"
#include "common/base/slot.h"
#include "logic/group/rules.h"
#include "logic/store/shard.h"
#include "logic/user/events.h"
#include "logic/user/slot_table.h"
#include "logic/user/user_table.h"

namespace hongyan::logic {

struct PipelineConfig {
  Milliseconds accept_deadline{2500};     // a send not begun by the writer until then is refused
  Milliseconds ack_timeout{5000};         // a push without acknowledgement is sent again, once
  Milliseconds pending_after{10'000};     // fan-out unfinished for so long goes to im_pending
  Milliseconds gate_grace{10'000};        // a gate's sessions are kept so long after its link broke
  std::uint32_t heartbeat_seconds = 270;  // told to clients
  std::size_t max_unfinished_bytes =
      256 << 20;  // a thread's accepted messages not fanned out; past it: UNAVAILABLE
  // Sends of one user not answered yet; past it: UNAVAILABLE. What keeps one busy user from filling the
  // writer's queue before all others.
  std::size_t max_sends_of_user = 256;
  std::size_t max_sends_of_service = 10'000;  // the same for a sender of the server API
  std::size_t max_lane_bytes = 8 << 20;  // contents a lane keeps in memory; beyond it is read again when due
  std::size_t lane_batch_rows = 256;
  std::size_t push_window =
      1024;  // unacknowledged pushes of a session; past it: SYNC_NOTIFY once acknowledged
  std::size_t max_retained_push_bytes = 64 << 20;  // a thread's bodies kept for the one resend
  std::size_t pull_bytes = 256 << 10;              // messages in one PullResp
  Milliseconds cursor_flush{5000};                 // what devices acknowledged is written so often
  std::size_t users_in_memory = 1'000'000;         // a thread's
  GroupConfig group;
};

// Counted by one slot thread, read by the metrics page.
struct PipelineCounters {
  using Counter = std::atomic<std::uint64_t>;
  std::array<Counter, 16> refused;  // by Code
  Counter accepted, duplicates, delivered, parked, pushed, resent, undelivered, acked, bad_acks, pulls,
      pulled_messages, logins, kicks, lane_retries, not_owner, uploads, cursors_kept, placed;
  std::atomic<std::int64_t> unfinished_bytes, sessions, users, lanes, changed_cursors, groups;

  static void add(Counter& counter, std::uint64_t n = 1) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

// All shards of the configuration and which slot each holds. Immutable after start; any thread.
class ShardSet {
 public:
  explicit ShardSet(std::vector<Shard*> shards, std::array<std::uint16_t, kSlotCount> shard_of)
      : shards_(std::move(shards)), shard_of_(shard_of) {}
  [[nodiscard]] std::size_t size() const noexcept { return shards_.size(); }
  [[nodiscard]] std::size_t index_of(Slot slot) const noexcept { return shard_of_[slot]; }
  [[nodiscard]] Shard& at(std::size_t index) const noexcept { return *shards_[index]; }
  [[nodiscard]] Shard& of(Slot slot) const noexcept { return *shards_[shard_of_[slot]]; }

 private:
  const std::vector<Shard*> shards_;
  const std::array<std::uint16_t, kSlotCount> shard_of_;
};

// State and ports of one slot thread. Everything here is touched by that thread only, but for what says
// otherwise.
struct ThreadContext {
  std::uint32_t index = 0;  // of this slot thread
  std::uint32_t thread_count = 1;
  const PipelineConfig& config;
  ShardSet& shards;   // shared, immutable
  MsgIdClock& clock;  // shared, lock-free
  PipelineCounters& counters;
  EventSink* events = nullptr;  // null: events are not wanted
  bool stored_events = false;   // of messages, too
  std::function<SteadyTime()> now = [] { return SteadyClock::now(); };
  std::function<std::int64_t()> wall = wall_ms;

  SlotTable slots;
  UserTable users{config.users_in_memory};

  // Answers with the error and counts it.
  void refuse(const ReplyTo& to, const Error& error) const {
    PipelineCounters::add(counters.refused[static_cast<std::size_t>(error.code)]);
    reply_error(to, error);
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
    events->publish({.kind = Event::Kind::kStored,
                     .id = clock.next(),
                     .time_ms = work.send_time,
                     .app_id = work.user.app_id,
                     .uid = work.user.uid,
                     .msg_id = work.msg_id,
                     .seq = work.seq,
                     .to = work.to,
                     .group_id = work.group_id,
                     .cmd_id = static_cast<std::uint32_t>(work.cmd_id),
                     .msg_type = work.msg_type,
                     .client_msg_id = work.client_msg_id});
  }

  // The slot thread that a slot belongs to, in any node with as many threads.
  [[nodiscard]] std::uint32_t thread_of(Slot slot) const noexcept { return slot % thread_count; }
};

}  // namespace hongyan::logic
