#include "logic/store/mysql/threads/shard_leases.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "logic/store/mysql/threads/redo_reader.h"

namespace hongyan::logic {

namespace {

// A predecessor that was killed is silent for so long before a new process takes its number; one whose
// connection is gone need not be waited for.
constexpr Milliseconds kSilence{3000};
// The first shard may be away: what this node had before is served then all the same.
constexpr Milliseconds kFirstShardPatience{5000};
constexpr unsigned kReleases = 4;  // attempts, as writers raise the barrier, too

using Role = Leadership::Role;

}  // namespace

ShardLeases::ShardLeases(std::size_t index, const ShardConfig& config, const ShardDeps& deps,
                         const std::vector<Slot>& slots, ShardState& state, FencedConnection& connection,
                         std::function<DbStatus()> beat)
    : index_(index),
      config_(config),
      deps_(deps),
      shard_slots_(slots.size()),
      shares_(!deps.shared_sizes.empty()),
      first_(std::ranges::find(slots, Slot{0}) != slots.end()),
      state_(state),
      connection_(connection),
      beat_(std::move(beat)),
      ownership_({.self = deps.node,
                  .shard = shares_ ? index : 0,
                  .shard_sizes = shares_ ? deps.shared_sizes : std::vector{slots.size()},
                  // Nodes that are started together get equal shares.
                  .expects_others = shares_}) {}

Role ShardLeases::role() const noexcept {
  return deps_.leadership != nullptr ? deps_.leadership->role() : Role::kUnknown;
}

FenceKey ShardLeases::key() const {
  const TenurePtr tenure = state_.tenure();
  return {.node = deps_.node, .epoch = tenure->epoch, .barrier = tenure->barrier};
}

bool ShardLeases::holds_any() const {
  return std::ranges::any_of(state_.tenure()->slot_epochs, [](std::uint64_t epoch) { return epoch != 0; });
}

DbStatus ShardLeases::connected(MysqlConnection& connection) {
  auto locked = lock_number(connection, config_.database, deps_.node);
  if (!locked) return std::unexpected(locked.error());
  number_locked_ = *locked;
  return {};
}

DbResult<ShardLeases::Number> ShardLeases::ask_for_number() {
  if (number_locked_ || begun_) return Number::kOurs;
  // The server may just have found out that a predecessor's connection is gone.
  if (auto asked = connected(*connection_); !asked) return std::unexpected(asked.error());
  if (number_locked_) return Number::kOurs;
  auto last = read_beat(*connection_, deps_.node);
  if (!last) return std::unexpected(last.error());
  const SteadyTime now = SteadyClock::now();
  if (!predecessor_) {
    predecessor_ = *last;
    predecessor_since_ = now;
  }
  if (*last != *predecessor_) return Number::kTaken;
  return now - predecessor_since_ >= kSilence ? Number::kOurs : Number::kUnclear;
}

bool ShardLeases::may_begin(SteadyTime now) {
  return first_ || deps_.leadership == nullptr || role() != Role::kUnknown ||
         now - started_ >= kFirstShardPatience;
}

DbStatus ShardLeases::check_size(const ShardSeen& seen) const {
  if (seen.leases.size() == shard_slots_) return {};
  return std::unexpected(
      DbError{.fault = DbFault::kUnable,
              .code = 0,
              .message = fmt::format("im_slot has {} of {} slots", seen.leases.size(), shard_slots_)});
}

DbResult<std::uint64_t> ShardLeases::begin() {
  // Else nothing is raised: whoever serves is not disturbed by a configuration that does not fit.
  auto seen = read_shard(*connection_);
  if (!seen) return std::unexpected(seen.error());
  if (auto fits = check_size(*seen); !fits) return std::unexpected(fits.error());
  auto started = start_node(*connection_, deps_.node, deps_.boot_id);
  if (!started) return std::unexpected(started.error());
  if (auto ready = set_ready(*connection_, deps_.node, deps_.boot_id, ready_); !ready) {
    return std::unexpected(ready.error());
  }
  begun_ = true;
  deps_.clock->move_past(started->past);
  state_.begun(started->epoch, started->barrier);
  kept_ = std::move(started->slots);
  return started->epoch;
}

DbStatus ShardLeases::resume() {
  // What is not served here is given up by the next look.
  if (kept_.empty() || (!first_ && role() == Role::kStandsBy)) return {};
  return serve(std::exchange(kept_, {}));
}

DbStatus ShardLeases::serve(std::vector<AcquiredSlot> slots) {
  auto redo = RedoReader(*connection_, beat_).read(slots);
  if (!redo) return std::unexpected(redo.error());
  log::info("store", "slots acquired shard={} slots={} redo={} redo_groups={} pending={}", config_.name,
            slots.size(), redo->accepted.size(), redo->placed.size(), redo->pending.size());
  state_.claimed(slots);
  if (first_ && deps_.leadership != nullptr) deps_.leadership->set(Role::kLeads);
  deps_.observer->shard_acquired(index_, std::move(slots), std::move(*redo));
  return {};
}

void ShardLeases::note_role(const ShardSeen& seen) {
  if (!first_ || deps_.leadership == nullptr) return;
  if (holds_any()) return deps_.leadership->set(Role::kLeads);
  const bool owned = std::ranges::any_of(
      seen.leases, [this](const LeaseSeen& lease) { return lease.owner != 0 && lease.owner != deps_.node; });
  deps_.leadership->set(owned ? Role::kStandsBy : Role::kUnknown);
}

Leader ShardLeases::leader() const {
  if (shares_) return Leader::kNone;
  if (first_ || deps_.leadership == nullptr) return Leader::kChoose;
  switch (role()) {
    case Role::kLeads:
      return Leader::kSelf;
    case Role::kStandsBy:
      return Leader::kOther;
    case Role::kUnknown:
      return Leader::kUnknown;
  }
}

DbStatus ShardLeases::look() {
  auto seen = read_shard(*connection_);
  if (!seen) return std::unexpected(seen.error());
  if (auto fits = check_size(*seen); !fits) return std::unexpected(fits.error());
  const TenurePtr tenure = state_.tenure();
  // Ours in the database only: a statement of ours came late, or its end was not seen.
  std::vector<Slot> not_held;
  std::vector<Slot> not_ours;
  for (const LeaseSeen& lease : seen->leases) {
    const bool ours = lease.owner == deps_.node;
    if (ours && !tenure->owns(lease.slot)) not_held.push_back(lease.slot);
    if (!ours && tenure->owns(lease.slot)) not_ours.push_back(lease.slot);
  }
  if (!not_ours.empty()) unload(state_.give_up(not_ours));
  note_role(*seen);
  seen_role_ = role();
  if (!not_held.empty()) {
    // Never served as they are: what was sent before might still be read (it names the barrier).
    if (auto freed = release_all(not_held); !freed) return freed;
  }
  const OwnershipPlan plan = ownership_.look(*seen, leader(), leaving_, SteadyClock::now());
  settled_ = plan.settled && not_held.empty() && not_ours.empty();
  return carry_out(plan);
}

DbStatus ShardLeases::carry_out(const OwnershipPlan& plan) {
  for (const OwnershipPlan::Dead& dead : plan.evict) {
    auto evicted = evict(*connection_, key(), dead.node, dead.epoch);
    if (!evicted) return std::unexpected(evicted.error());
    if (*evicted != Handed::kDone) return follow_barrier();
    log::warn("store", "a node that does not beat has lost its slots shard={} node={}", config_.name,
              dead.node);
  }
  if (!plan.release.empty()) {
    if (auto given = give_back(plan.release); !given) return given;
  }
  if (plan.claim.empty() || leaving_) return {};
  auto claimed = claim(*connection_, key(), plan.claim);
  if (!claimed) return std::unexpected(claimed.error());
  if (claimed->handed != Handed::kDone) return follow_barrier();
  if (claimed->slots.empty()) return {};
  deps_.clock->move_past(claimed->past);
  return serve(std::move(claimed->slots));
}

DbStatus ShardLeases::follow_barrier() {
  auto present = connection_.read_present(state_.tenure()->epoch);
  if (!present) return std::unexpected(present.error());
  return {};
}

DbStatus ShardLeases::release_all(const std::vector<Slot>& slots) {
  for (unsigned attempt = 1; attempt <= kReleases; ++attempt) {
    auto present = connection_.read_present(state_.tenure()->epoch);
    if (!present) return std::unexpected(present.error());
    if (!*present) return {};  // the beat finds out
    const FenceKey key{.node = deps_.node, .epoch = (*present)->epoch, .barrier = (*present)->barrier};
    auto released = release(*connection_, key, slots);
    if (!released) return std::unexpected(released.error());
    // The barrier that was raised is ours from now on.
    if (*released == Handed::kDone) return follow_barrier();
  }
  return std::unexpected(
      DbError{.fault = DbFault::kConflict, .code = 0, .message = "barriers were passed all the time"});
}

DbStatus ShardLeases::give_back(const std::vector<Slot>& slots) {
  unload(state_.give_up(slots));
  if (auto released = release_all(slots); !released) return released;
  log::info("store", "slots given up shard={} slots={}", config_.name, slots.size());
  return {};
}

void ShardLeases::unload(const std::vector<Slot>& held) {
  if (!held.empty()) deps_.observer->shard_lost(index_, held);
}

void ShardLeases::lose_all() {
  unload(state_.give_up());
  kept_.clear();
  if (first_ && deps_.leadership != nullptr) deps_.leadership->set(Role::kUnknown);
}

DbStatus ShardLeases::want(bool ready, bool leaving) {
  if (ready != ready_) {
    if (auto told = set_ready(*connection_, deps_.node, deps_.boot_id, ready); !told) return told;
    ready_ = ready;
    settled_ = false;
    log::info("store", "node is {} shard={}", ready ? "ready" : "not ready", config_.name);
  }
  leaving_ = leaving;
  if (!leaving || !holds_any()) return {};
  std::vector<Slot> held;
  const TenurePtr tenure = state_.tenure();
  for (Slot slot = 0; slot < kSlotCount; ++slot) {
    if (tenure->owns(slot)) held.push_back(slot);
  }
  return give_back(held);
}

}  // namespace hongyan::logic
