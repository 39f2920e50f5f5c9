// The writer of a shard's groups: a thread with a connection that drains a queue of GroupWork in batches.
#pragma once

#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include "logic/store/group_rows.h"
#include "logic/store/mysql/fence/fenced_connection.h"
#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/mysql/state/work_queue.h"
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
    WriteHooks hooks;
  };

  explicit GroupWriter(Deps deps);
  ~GroupWriter() { stop(SteadyClock::now()); }
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  void start();
  void stop(SteadyTime deadline);
  void submit(GroupWorkPtr work) { queue_.submit(std::move(work)); }

 private:
  // Works that are stored together or not at all: a command, or any number of plain messages.
  using Unit = std::vector<GroupWork*>;

  void run();
  void process();
  // Whether it may be begun; else it is refused.
  [[nodiscard]] bool in_time(GroupWork& work) const;
  // Of the batch: nobody who asked waits for what is being stored.
  void complete_reads();
  void read(GroupWork& work);
  void store(Unit unit);
  [[nodiscard]] Written write(const Unit& unit);
  void stored(const Unit& unit);
  // The unit's slots must still be ours to try it again; those that are not are refused.
  void go_on_under(TenurePtr present, const Unit& unit);
  // What becomes of a unit that is surely not stored.
  void judge(const Unit& unit, const DbError& error);
  void refuse_for(const Unit& unit, const DbError& error);
  // Before another attempt; false: the process ends.
  [[nodiscard]] bool pause(unsigned attempt);
  // After an unknown outcome: what of it is stored. False: the process ends before it is known.
  [[nodiscard]] bool settle(const Unit& unit);
  [[nodiscard]] DbStatus find_stored(const Unit& unit);
  void park(GroupWork& work, const DbError& error);

  const Deps deps_;
  WorkQueue<GroupWorkPtr> queue_;

  // Its thread only.
  FencedConnection connection_;
  std::vector<GroupWorkPtr> batch_;
  TenurePtr taken_;             // what the batch was taken under
  TenurePtr tenure_;            // the same, or what holds since a barrier was passed
  unsigned refused_alone_ = 0;  // units of one, one after the other

  std::thread thread_;
};

}  // namespace hongyan::logic
