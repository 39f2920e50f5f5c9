// The keeper of a shard: holds the leases. One thread, one connection.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "common/base/backoff.h"
#include "common/base/random.h"
#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/fence/fenced_connection.h"
#include "logic/store/mysql/sql/beats.h"
#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/mysql/threads/shard_leases.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Connects, begins the node's life in the shard, then writes a beat each second, looks whose the slots are, and
// writes the upkeep that the pipeline hands over. At the end, or when it is asked to, it gives its slots up.
//
// - connecting: until the node's epoch is raised;
// - running;
// - suspended: the beat was not written for 2 s. Running again when epoch and boot are still ours;
// - connecting again, with a raise: the epoch was raised, the boot is still ours. What was held is another node's, and
//   forgotten;
// - ended: another process runs under this node's number, so this one must end.
//
// Any thread: write_upkeep, set_ready, leave. start() once, then stop() once, by the shard.
class ShardKeeper {
 public:
  ShardKeeper(std::size_t index, const ShardConfig& config, const ShardDeps& deps, std::vector<Slot> slots,
              ShardState& state);
  ~ShardKeeper() { stop(); }
  ShardKeeper(const ShardKeeper&) = delete;
  ShardKeeper& operator=(const ShardKeeper&) = delete;

  void start();
  void stop();
  void write_upkeep(Upkeep upkeep);
  void set_ready(bool ready);
  void leave();

 private:
  enum class Phase : std::uint8_t { kConnecting, kRunning, kSuspended, kEnded };

  void run();
  [[nodiscard]] bool stopping();
  void turn();
  // A connection to a server that was checked in all.
  [[nodiscard]] DbResult<std::unique_ptr<MysqlConnection>> open();
  [[nodiscard]] DbStatus begin();
  [[nodiscard]] DbStatus want();
  [[nodiscard]] DbStatus look();
  [[nodiscard]] DbStatus tolerated(DbStatus done);
  void leave_now();
  void end(const std::string& reason);
  [[nodiscard]] DbStatus beat();
  [[nodiscard]] DbStatus beat_if_due();
  // The node's row is not as we left it: what to do. Answers the reason.
  [[nodiscard]] std::string judge(const NodeRow& node);
  void suspend(const std::string& reason);
  void do_upkeep();
  [[nodiscard]] Written write(Upkeep& upkeep);
  void drop_upkeep();
  void lost(const DbError& error);

  const std::size_t index_;
  const ShardConfig& config_;
  const ShardDeps& deps_;
  const std::vector<Slot> slots_;
  ShardState& state_;

  // Keeper thread only.
  Phase phase_ = Phase::kConnecting;
  FencedConnection connection_;
  ShardLeases leases_;
  std::uint64_t epoch_ = 0;
  SteadyTime last_beat_{};
  SteadyTime next_try_{};
  const Random random_ = random_fraction;
  Backoff backoff_;

  std::mutex mutex_;
  std::deque<Upkeep> upkeep_;
  bool stopping_ = false;
  bool ready_ = true;
  bool leaving_ = false;

  std::thread thread_;
};

}  // namespace hongyan::logic
