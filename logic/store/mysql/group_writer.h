// The writer of a shard's groups: a thread with a connection that drains a queue of GroupWork in batches.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "logic/store/group_rows.h"
#include "logic/store/mysql/connection.h"
#include "logic/store/mysql/server_trouble.h"
#include "logic/store/mysql/shard_state.h"
#include "logic/store/mysql/shard_writer.h"
#include "logic/store/mysql/work_queue.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// An idle writer stores at once; batches form from what waits meanwhile. Rows of plain messages, of however
// many groups, go in one statement; a command is a transaction of its own. After an unknown outcome: the
// barrier, then a look at what is there; only then anything else, so that a work comes back stored or
// certainly not. Attempts are few and with pauses; what fails with others is tried alone, and when that
// fails, too, again and again, the rest is refused.
//
// Works come numbered by the groups' owner, which has one under way for a group: trying again is harmless.
//
// Any thread: submit. start() once, then stop() once, by the shard; stop() lets the queue drain until the
// deadline, refuses the rest, joins. While the shard is not served everything is refused at once; while an
// outcome is unknown, what is past its deadline.
class GroupWriter {
 public:
  struct Deps {
    const ShardConfig& config;
    const ShardDeps& shard;
    ShardState& state;
    CommitFaultHook commit_fault;
  };

  explicit GroupWriter(Deps deps)
      : deps_(std::move(deps)),
        queue_(deps_.config, deps_.state, *deps_.shard.sink),
        trouble_(deps_.config.name, deps_.state, "group writer") {}
  ~GroupWriter() { stop(SteadyClock::now()); }
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  void start();
  void stop(SteadyTime deadline);
  void submit(std::unique_ptr<GroupWork> work) { queue_.submit(std::move(work)); }
  [[nodiscard]] const WriterCounters& counters() const noexcept { return counters_; }

 private:
  // Works that are stored or not stored together.
  using Unit = std::span<GroupWork* const>;
  enum class Next : std::uint8_t { kDone, kAgain, kDoubt };

  void run();
  void process();
  // Whether it may be begun; else it is refused.
  [[nodiscard]] bool in_time(GroupWork& work) const;
  // Of the batch: nobody who asked waits for what is being stored.
  void complete_reads();
  void read(GroupWork& work);
  void store(Unit unit);
  [[nodiscard]] Next try_store(Unit unit);
  [[nodiscard]] Next insert_rows(Unit unit);
  [[nodiscard]] Next run_command(const GroupWork& work);
  [[nodiscard]] Next failed(Unit unit, const DbError& error, DbSent sent);
  // What becomes of a unit that is surely not stored.
  void judge(Unit unit, const DbError& error);
  void refuse_for(Unit unit, const DbError& error);
  // Before another attempt; false: the process ends.
  [[nodiscard]] bool pause();
  // After an unknown outcome. False: the process ends before it is known.
  [[nodiscard]] bool settle(Unit unit);
  void park(GroupWork& work, const DbError& error);
  [[nodiscard]] bool connect();
  void roll_back();
  void fence_lost(Unit unit);
  // A statement was refused: another epoch, or a barrier that was passed meanwhile.
  [[nodiscard]] Next refused_by_fence(Unit unit, std::uint64_t epoch);

  const Deps deps_;
  WriterCounters counters_;
  WorkQueue queue_;

  // Its thread only.
  std::vector<WriterWorkPtr> batch_;
  SteadyTime connect_again_at_{};
  std::unique_ptr<MysqlConnection> connection_;
  DbError connect_error_;
  unsigned attempts_ = 0;  // of the present unit
  DbError last_error_;
  unsigned refused_alone_ = 0;  // units of one, one after the other
  ServerTrouble trouble_;

  std::thread thread_;
};

}  // namespace hongyan::logic
