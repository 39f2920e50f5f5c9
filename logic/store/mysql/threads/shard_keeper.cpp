#include "logic/store/mysql/threads/shard_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "logic/store/mysql/schema/shard_check.h"
#include "logic/store/mysql/sql/leases.h"
#include "logic/store/mysql/sql/upkeep.h"
#include "logic/store/mysql/threads/redo_reader.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kBeatEvery{1000};
constexpr std::int64_t kIdAheadMs = 10'000;
constexpr Milliseconds kFirstDelay{50};
constexpr Milliseconds kLongestDelay{1000};
constexpr std::size_t kMaxUpkeep = 64;
constexpr unsigned kMaxAttempts = 4;  // of an upkeep that meets barriers of writers

}  // namespace

ShardKeeper::ShardKeeper(std::size_t index, const ShardConfig& config, const ShardDeps& deps,
                         std::vector<Slot> slots, ShardState& state)
    : index_(index),
      config_(config),
      deps_(deps),
      slots_(std::move(slots)),
      state_(state),
      connection_({.config = config,
                   .node = deps.node,
                   .state = state,
                   .open = [this] { return open(); },
                   .connect_again = Milliseconds(0)},
                  "leases and upkeep"),
      backoff_(kFirstDelay, kLongestDelay, random_) {}

void ShardKeeper::start() {
  state_.set_trouble(kKeeper, "not acquired yet");
  thread_ = std::thread([this] { run(); });
}

void ShardKeeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  state_.wake_keeper();
  if (thread_.joinable()) thread_.join();
}

void ShardKeeper::write_upkeep(Upkeep upkeep) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && upkeep_.size() < kMaxUpkeep) {
      upkeep_.push_back(std::move(upkeep));
      state_.wake_keeper();
      return;
    }
  }
  upkeep.done(false);
}

bool ShardKeeper::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void ShardKeeper::run() {
  const MysqlThread mysql_thread;
  while (!stopping()) {
    turn();
    state_.keeper_wait(next_try_);
  }
  do_upkeep();
  drop_upkeep();
  connection_.drop();
}

void ShardKeeper::turn() {
  const SteadyTime now = SteadyClock::now();
  if (phase_ == Phase::kFenced) {
    next_try_ = now + kBeatEvery;
    drop_upkeep();
    return;
  }
  const bool asked = state_.take_beat_request();
  const bool doubted = state_.take_fence_loss();
  if (!connection_.connected()) {
    if (phase_ == Phase::kAcquired && now - last_beat_ >= kBeatSilence) suspend("the beat cannot be written");
    if (now < next_try_) return drop_upkeep();
    if (auto connected = connection_.connect(); !connected) return lost(connected.error());
  }
  if (phase_ == Phase::kConnecting) {
    if (auto done = connection_.noted(acquire_all()); !done) return lost(done.error());
  } else if (asked || doubted || now >= last_beat_ + kBeatEvery) {
    if (auto done = connection_.noted(beat()); !done) return lost(done.error());
  }
  do_upkeep();
  if (connection_.connected()) next_try_ = last_beat_ + kBeatEvery;
}

DbResult<std::unique_ptr<MysqlConnection>> ShardKeeper::open() {
  auto made = MysqlConnection::open(endpoint_of(config_));
  if (!made) return std::unexpected(made.error());
  auto settings = check_server(**made, config_);
  if (!settings) {
    return std::unexpected(
        DbError{.fault = DbFault::kUnable, .code = 0, .message = settings.error().message});
  }
  if (state_.settings() != *settings) log::info("store", "shard={} {}", config_.name, *settings);
  state_.set_settings(*settings);
  return made;
}

DbStatus ShardKeeper::acquire_all() {
  const SteadyTime begun = SteadyClock::now();
  auto taken = acquire(*connection_, deps_.node, deps_.boot_id, slots_);
  if (!taken) return std::unexpected(taken.error());
  if (taken->slots.size() + taken->held_by_others != slots_.size()) {
    return std::unexpected(
        DbError{.fault = DbFault::kUnable,
                .code = 0,
                .message = fmt::format("im_slot has {} of {} slots",
                                       taken->slots.size() + taken->held_by_others, slots_.size())});
  }
  epoch_ = taken->epoch;
  last_beat_ = begun;
  deps_.clock->move_past(taken->past);
  auto first_beat = beat();
  auto redo = first_beat ? RedoReader(*connection_, [this] { return beat_if_due(); }).read(taken->slots)
                         : std::unexpected(first_beat.error());
  if (!redo) return std::unexpected(redo.error());
  log::info("store",
            "slots acquired shard={} slots={} held_by_others={} epoch={} redo={} redo_groups={} pending={}",
            config_.name, taken->slots.size(), taken->held_by_others, epoch_, redo->accepted.size(),
            redo->placed.size(), redo->pending.size());
  phase_ = Phase::kAcquired;
  backoff_.reset();
  state_.acquired(epoch_, taken->barrier, taken->slots);
  state_.set_down(false);
  state_.clear_trouble(kKeeper);
  deps_.observer->shard_acquired(index_, std::move(taken->slots), std::move(*redo));
  return {};
}

DbStatus ShardKeeper::beat_if_due() {
  if (SteadyClock::now() < last_beat_ + kBeatEvery) return {};
  return beat();
}

DbStatus ShardKeeper::beat() {
  const SteadyTime begun = SteadyClock::now();
  const MsgId limit = first_msg_id_at(deps_.clock->time_ms() + kIdAheadMs);
  auto written = write_beat(*connection_, deps_.node, deps_.boot_id, epoch_, limit);
  if (!written) return std::unexpected(written.error());
  const NodeRow& node = written->node;
  if (!node.found || node.boot != deps_.boot_id || node.epoch != epoch_) {
    return std::unexpected(DbError{.fault = DbFault::kOther, .code = 0, .message = judge(node)});
  }
  last_beat_ = begun;
  backoff_.reset();
  state_.beat_written(begun, limit, written->clock_ms);
  state_.set_down(false);
  if (phase_ != Phase::kConnecting) state_.clear_trouble(kKeeper);
  if (phase_ == Phase::kSuspended) {
    phase_ = Phase::kAcquired;
    log::info("store", "shard resumed shard={}", config_.name);
    state_.resume();
    deps_.observer->shard_resumed(index_);
  } else if (phase_ == Phase::kAcquired) {
    state_.resume();  // whatever a writer reported that was fenced before: the epoch is ours
  }
  return {};
}

std::string ShardKeeper::judge(const NodeRow& node) {
  suspend("epoch raised by another process");
  if (node.found && node.boot == deps_.boot_id) {
    // A takeover while we were silent: our leases may be gone, so begin afresh with a raise.
    phase_ = Phase::kConnecting;
    return "epoch raised by a takeover";
  }
  phase_ = Phase::kFenced;
  std::string reason = node.found ? "another process runs as this node" : "the node's row is gone";
  deps_.observer->fenced_off(index_, reason);
  return reason;
}

void ShardKeeper::suspend(const std::string& reason) {
  state_.suspend();
  if (phase_ != Phase::kAcquired) return;
  phase_ = Phase::kSuspended;
  log::warn("store", "shard suspended shard={} reason=\"{}\"", config_.name, reason);
  deps_.observer->shard_suspended(index_, reason);
}

void ShardKeeper::lost(const DbError& error) {
  connection_.drop();
  state_.set_down(true);
  state_.set_trouble(kKeeper, error.reason());
  const SteadyTime now = SteadyClock::now();
  if (phase_ == Phase::kAcquired && now - last_beat_ >= kBeatSilence) suspend(error.reason());
  next_try_ = now + backoff_.next();
  // The end of the silence must not be slept through.
  if (phase_ == Phase::kAcquired) next_try_ = std::min(next_try_, last_beat_ + kBeatSilence);
  drop_upkeep();
}

void ShardKeeper::do_upkeep() {
  while (connection_.connected() && phase_ == Phase::kAcquired) {
    Upkeep one;
    {
      const std::lock_guard lock(mutex_);
      if (upkeep_.empty()) return;
      one = std::move(upkeep_.front());
      upkeep_.pop_front();
    }
    const Written written = write(one);
    const bool failed =
        written.outcome == Written::Outcome::kNotCommitted || written.outcome == Written::Outcome::kUnknown;
    one.done(written.outcome == Written::Outcome::kCommitted);
    if (written.outcome == Written::Outcome::kCommitted) connection_.trouble().over();
    if (failed && !connection_.connected()) return lost(written.error);
    if (failed) connection_.trouble().refused(written.error);
    if (auto due = connection_.noted(beat_if_due()); !due) return lost(due.error());
  }
  drop_upkeep();
}

Written ShardKeeper::write(Upkeep& upkeep) {
  TenurePtr tenure = state_.tenure();
  for (unsigned attempt = 1;; ++attempt) {
    Written written = connection_.transact(*tenure, [&](MysqlConnection& connection) {
      return logic::write_upkeep(connection, deps_.node, upkeep);
    });
    if (written.outcome != Written::Outcome::kMoved || attempt == kMaxAttempts) return written;
    tenure = written.tenure;
    const auto lost_slot = [&](const PendingEntry& entry) { return !tenure->owns(entry.slot); };
    std::erase_if(upkeep.add_pending, lost_slot);
    std::erase_if(upkeep.remove_pending, lost_slot);
    std::erase_if(upkeep.cursors, [&](const CursorUpdate& update) {
      return !tenure->owns(slot_of(update.user.app_id, update.user.uid));
    });
  }
}

void ShardKeeper::drop_upkeep() {
  std::deque<Upkeep> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(upkeep_);
  }
  for (const Upkeep& one : dropped) one.done(false);
}

}  // namespace hongyan::logic
