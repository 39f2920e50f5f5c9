#include "logic/store/mysql/threads/shard_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "logic/store/mysql/schema/shard_check.h"
#include "logic/store/mysql/sql/upkeep.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kBeatEvery{1000};
constexpr Milliseconds kLookAgain{100};  // while something is out of place
constexpr Milliseconds kAskAgain{100};   // whether the node's number is ours
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
      leases_(index, config, deps, slots_, state, connection_, [this] { return beat_if_due(); }),
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

void ShardKeeper::set_ready(bool ready) {
  const std::lock_guard lock(mutex_);
  if (leaving_) return;
  if (std::exchange(ready_, ready) != ready) state_.wake_keeper();
}

void ShardKeeper::leave() {
  const std::lock_guard lock(mutex_);
  leaving_ = true;
  ready_ = false;
  state_.wake_keeper();
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
  leave_now();
  connection_.drop();
}

void ShardKeeper::turn() {
  const SteadyTime now = SteadyClock::now();
  if (phase_ == Phase::kEnded) {
    next_try_ = now + kBeatEvery;
    drop_upkeep();
    return;
  }
  const bool asked = state_.take_beat_request();
  const bool doubted = state_.take_fence_loss();
  if (!connection_.connected()) {
    if (phase_ == Phase::kRunning && now - last_beat_ >= kBeatSilence) suspend("the beat cannot be written");
    if (now < next_try_) return drop_upkeep();
    if (auto connected = connection_.connect(); !connected) return lost(connected.error());
  }
  if (phase_ == Phase::kConnecting) {
    if (auto done = connection_.noted(begin()); !done) return lost(done.error());
  } else {
    const bool due = now >= last_beat_ + kBeatEvery;
    if (asked || doubted || due) {
      if (auto done = connection_.noted(beat()); !done) return lost(done.error());
    }
    if (phase_ == Phase::kRunning) {
      if (auto done = want(); !done) return lost(done.error());
    }
    if (phase_ == Phase::kRunning && (due || !leases_.settled())) {
      if (auto done = look(); !done) return lost(done.error());
    }
  }
  do_upkeep();
  if (!connection_.connected() || phase_ == Phase::kConnecting) return;
  next_try_ = last_beat_ + kBeatEvery;
  // A leader elsewhere in this process is seen here without a statement.
  if (!leases_.settled() || !leases_.holds_any()) next_try_ = std::min(next_try_, now + kLookAgain);
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
  if (auto locked = leases_.connected(**made); !locked) return std::unexpected(locked.error());
  return made;
}

DbStatus ShardKeeper::begin() {
  const SteadyTime begun = SteadyClock::now();
  auto number = leases_.ask_for_number();
  if (!number) return std::unexpected(number.error());
  if (*number == ShardLeases::Number::kTaken) {
    end("another process runs as this node");
    return {};
  }
  if (*number == ShardLeases::Number::kUnclear || !leases_.may_begin(begun)) {
    next_try_ = begun + kAskAgain;
    return {};
  }
  auto epoch = leases_.begin();
  if (!epoch) return std::unexpected(epoch.error());
  epoch_ = *epoch;
  last_beat_ = begun;
  phase_ = Phase::kRunning;
  if (auto written = beat(); !written) return written;
  log::info("store", "node begins shard={} node={} epoch={}", config_.name, deps_.node, epoch_);
  if (auto resumed = leases_.resume(); !resumed) return resumed;
  return look();
}

DbStatus ShardKeeper::want() {
  bool ready = true;
  bool leaving = false;
  {
    const std::lock_guard lock(mutex_);
    ready = ready_;
    leaving = leaving_;
  }
  return tolerated(leases_.want(ready, leaving));
}

DbStatus ShardKeeper::look() { return tolerated(leases_.look()); }

// What was refused is tried again with the next look.
DbStatus ShardKeeper::tolerated(DbStatus done) {
  done = connection_.noted(std::move(done));
  return connection_.connected() ? DbStatus() : done;
}

void ShardKeeper::leave_now() {
  if (phase_ != Phase::kRunning || !connection_.connected()) return;
  if (auto left = connection_.noted(leases_.want(false, true)); !left) {
    log::warn("store", "slots not given up shard={} reason={}", config_.name,
              log::quoted(left.error().reason()));
  }
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
    phase_ = Phase::kRunning;
    log::info("store", "shard resumed shard={}", config_.name);
    state_.resume();
    deps_.observer->shard_resumed(index_);
  } else if (phase_ == Phase::kRunning) {
    state_.resume();  // whatever a writer reported that was fenced before: the epoch is ours
  }
  return {};
}

std::string ShardKeeper::judge(const NodeRow& node) {
  suspend("epoch raised by another process");
  if (node.found && node.boot == deps_.boot_id) {
    leases_.lose_all();
    phase_ = Phase::kConnecting;
    return "another node took this one for dead";
  }
  std::string reason = node.found ? "another process runs as this node" : "the node's row is gone";
  end(reason);
  return reason;
}

void ShardKeeper::end(const std::string& reason) {
  suspend(reason);
  phase_ = Phase::kEnded;
  deps_.observer->fenced_off(index_, reason);
}

void ShardKeeper::suspend(const std::string& reason) {
  state_.suspend();
  if (phase_ != Phase::kRunning) return;
  phase_ = Phase::kSuspended;
  log::warn("store", "shard suspended shard={} reason=\"{}\"", config_.name, reason);
  deps_.observer->shard_suspended(index_, reason);
}

void ShardKeeper::lost(const DbError& error) {
  connection_.drop();
  state_.set_down(true);
  state_.set_trouble(kKeeper, error.reason());
  const SteadyTime now = SteadyClock::now();
  if (phase_ == Phase::kRunning && now - last_beat_ >= kBeatSilence) suspend(error.reason());
  next_try_ = now + backoff_.next();
  // The end of the silence must not be slept through.
  if (phase_ == Phase::kRunning) next_try_ = std::min(next_try_, last_beat_ + kBeatSilence);
  drop_upkeep();
}

void ShardKeeper::do_upkeep() {
  while (connection_.connected() && phase_ == Phase::kRunning) {
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
