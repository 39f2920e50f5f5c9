// The writer of a shard's groups.
#pragma once

#include <vector>

#include "logic/store/group_rows.h"
#include "logic/store/mysql/threads/writer_thread.h"

namespace hongyan::logic {

// Rows of plain messages, of however many groups, go in one statement; a command is a transaction of its own.
// After an unknown outcome: the barrier, then a look at what is there; only then anything else, so that a work
// comes back stored or certainly not. Attempts are few and with pauses; what fails with others is tried alone,
// and when that fails, too, again and again, the rest is refused. While an outcome is unknown, what is past
// its deadline is refused.
//
// Works come numbered by the groups' owner, which has one under way for a group: trying again is harmless.
class GroupWriter final : public WriterThread<GroupWorkPtr> {
 public:
  explicit GroupWriter(WriterDeps deps) : WriterThread(std::move(deps), "group writer") {}
  ~GroupWriter() { stop(SteadyClock::now()); }

 private:
  // Works that are stored together or not at all: a command, or any number of plain messages.
  using Unit = std::vector<GroupWork*>;

  void process(TakenWorks<GroupWorkPtr> taken) override;
  void process_batch();
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
  // After an unknown outcome: what of it is stored. False: the process ends before it is known.
  [[nodiscard]] bool settle(const Unit& unit);
  [[nodiscard]] DbStatus find_stored(const Unit& unit);
  void park(GroupWork& work, const DbError& error);

  // Its thread only.
  std::vector<GroupWorkPtr> batch_;
  TenurePtr taken_;             // what the batch was taken under
  TenurePtr tenure_;            // the same, or what holds since a barrier was passed
  unsigned refused_alone_ = 0;  // units of one, one after the other
};

}  // namespace hongyan::logic
