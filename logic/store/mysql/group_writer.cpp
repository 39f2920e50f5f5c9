#include "logic/store/mysql/group_writer.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "logic/store/mysql/group_sql.h"
#include "logic/store/mysql/shard_check.h"

namespace hongyan::logic {

namespace {

constexpr unsigned kMaxAttempts = 5;
constexpr Milliseconds kPause{100};
constexpr Milliseconds kConnectAgain{300};
constexpr Milliseconds kFirstPause{20};
constexpr unsigned kMaxPauseDoublings = 4;
constexpr unsigned kMaxRefusedAlone = 3;

void refuse(WriterWork& work, Error error) {
  work.outcome = WriterWork::Outcome::kRefused;
  work.error = std::move(error);
}

bool is_command(const GroupWork& work) { return work.info.has_value() || work.answer.has_value(); }
bool is_settled(const GroupWork& work) { return work.outcome != WriterWork::Outcome::kPending; }

}  // namespace

void GroupWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void GroupWriter::stop(SteadyTime deadline) {
  queue_.stop(deadline);
  if (thread_.joinable()) thread_.join();
}

void GroupWriter::run() {
  const MysqlThread mysql_thread;
  while (queue_.take(batch_)) {
    process();
    deps_.shard.sink->completed(std::exchange(batch_, {}));
  }
  connection_.reset();
}

bool GroupWriter::in_time(GroupWork& work) const {
  const SteadyTime now = SteadyClock::now();
  if (!deps_.state.serving(now)) {
    refuse(work, "the shard is not served");
  } else if (work.deadline < now) {
    refuse(work, "waited too long for the shard");
  }
  return !is_settled(work);
}

void GroupWriter::complete_reads() {
  std::vector<WriterWorkPtr> done;
  for (auto& work : batch_) {
    if (static_cast<const GroupWork&>(*work).op != GroupWork::Op::kStore) done.push_back(std::move(work));
  }
  std::erase(batch_, nullptr);
  if (!done.empty()) deps_.shard.sink->completed(std::move(done));
}

void GroupWriter::process() {
  std::vector<GroupWork*> plain;
  std::vector<GroupWork*> commands;
  for (const auto& one : batch_) {
    auto& work = static_cast<GroupWork&>(*one);
    if (is_settled(work) || !in_time(work)) continue;
    if (work.op != GroupWork::Op::kStore) {
      read(work);
    } else if (trouble_.resting(SteadyClock::now())) {
      refuse(work, "the storage does not take it now");
    } else if (!work.rows.empty() && work.rows.back().placed_id > deps_.state.id_limit() &&
               !deps_.state.wait_for_ids(work.rows.back().placed_id, Milliseconds(500))) {
      refuse(work, "no ids to give");
    } else {
      (is_command(work) ? commands : plain).push_back(&work);
    }
  }
  complete_reads();
  if (!plain.empty()) store(plain);
  for (GroupWork*& work : commands) {
    if (in_time(*work)) store(Unit(&work, 1));
  }
}

bool GroupWriter::connect() {
  if (connection_) return true;
  if (SteadyClock::now() < connect_again_at_) return false;
  auto made = open_checked(deps_.config);
  if (made) {
    connection_ = std::move(*made);
    return true;
  }
  connect_again_at_ = SteadyClock::now() + kConnectAgain;
  connect_error_ = made.error();
  trouble_.failed(connect_error_, false);
  trouble_.refused(connect_error_);
  return false;
}

void GroupWriter::read(GroupWork& work) {
  for (unsigned attempt = 0;; ++attempt) {
    if (!connect()) return refuse(work, to_error(connect_error_));
    auto done =
        work.op == GroupWork::Op::kLoad ? load_group(*connection_, work) : find_placed(*connection_, work);
    if (done) {
      work.outcome = WriterWork::Outcome::kStored;
      return;
    }
    // A statement may have rows left to fetch: begin anew.
    connection_.reset();
    trouble_.failed(done.error(), false);
    if (attempt > 0 || done.error().fault != DbFault::kLost) return refuse(work, to_error(done.error()));
  }
}

void GroupWriter::store(Unit unit) {
  attempts_ = 0;
  for (;;) {
    if (!connect()) return refuse_for(unit, connect_error_);
    switch (try_store(unit)) {
      case Next::kDone:
        return;
      case Next::kAgain:
        break;
      case Next::kDoubt:
        if (!settle(unit)) return;
        if (std::ranges::all_of(unit, [](const GroupWork* work) { return is_settled(*work); })) return;
        if (++attempts_ >= kMaxAttempts || last_error_.fault != DbFault::kLost)
          return judge(unit, last_error_);
        break;
    }
    if (attempts_ > 1 && !pause()) {
      for (GroupWork* work : unit) refuse(*work, "the node is stopping");
      return;
    }
  }
}

bool GroupWriter::pause() {
  if (queue_.stopping()) return false;
  return queue_.pause(SteadyClock::now() + kFirstPause * (1 << std::min(attempts_ - 2, kMaxPauseDoublings)));
}

GroupWriter::Next GroupWriter::try_store(Unit unit) {
  const Next next = is_command(*unit.front()) ? run_command(*unit.front()) : insert_rows(unit);
  if (next != Next::kDone || is_settled(*unit.front())) return next;
  for (GroupWork* work : unit) {
    work->outcome = WriterWork::Outcome::kStored;
    counters_.rows.fetch_add(work->rows.size(), std::memory_order_relaxed);
  }
  counters_.batches.fetch_add(1, std::memory_order_relaxed);
  refused_alone_ = 0;
  trouble_.over();
  return next;
}

GroupWriter::Next GroupWriter::insert_rows(Unit unit) {
  const FenceKey key{
      .node = deps_.shard.node, .epoch = deps_.state.epoch(), .barrier = deps_.state.barrier()};
  const CommitFault fault = deps_.commit_fault ? deps_.commit_fault() : CommitFault::kNone;
  if (fault == CommitFault::kCutBefore) connection_->cut();
  auto fence = insert_group_rows(*connection_, unit, key);
  if (fence && fault == CommitFault::kCutAfter) {
    connection_->cut();
    fence = std::unexpected(DbError{.fault = DbFault::kLost, .code = 0, .message = "cut"});
  }
  if (!fence) return failed(unit, fence.error(), DbSent::kStatement);
  return *fence == Fence::kLost ? refused_by_fence(unit, key.epoch) : Next::kDone;
}

GroupWriter::Next GroupWriter::refused_by_fence(Unit unit, std::uint64_t epoch) {
  auto barrier = read_barrier(*connection_, deps_.shard.node, epoch);
  if (!barrier) return failed(unit, barrier.error(), DbSent::kNothing);
  if (*barrier) {
    deps_.state.saw_barrier(**barrier);
    return failed(unit, {.fault = DbFault::kConflict, .code = 0, .message = "a barrier was passed meanwhile"},
                  DbSent::kNothing);
  }
  fence_lost(unit);
  return Next::kDone;
}

GroupWriter::Next GroupWriter::run_command(const GroupWork& work) {
  auto* one = const_cast<GroupWork*>(&work);  // NOLINT: a unit of one
  const Unit unit(&one, 1);
  auto fence = begin_fenced(*connection_, deps_.shard.node, deps_.state.epoch());
  if (!fence) return failed(unit, fence.error(), DbSent::kNothing);
  if (*fence == Fence::kLost) {
    roll_back();
    fence_lost(unit);
    return Next::kDone;
  }
  if (auto done = store_command(*connection_, work); !done)
    return failed(unit, done.error(), DbSent::kNothing);
  const CommitFault fault = deps_.commit_fault ? deps_.commit_fault() : CommitFault::kNone;
  if (auto done = connection_->commit(fault); !done) return failed(unit, done.error(), DbSent::kCommit);
  return Next::kDone;
}

GroupWriter::Next GroupWriter::failed(Unit unit, const DbError& error, DbSent sent) {
  counters_.errors.fetch_add(1, std::memory_order_relaxed);
  trouble_.failed(error, perhaps_stored(error.fault, sent));
  last_error_ = error;
  if (error.fault == DbFault::kLost) {
    connection_.reset();
  } else {
    roll_back();
  }
  if (perhaps_stored(error.fault, sent)) return Next::kDoubt;
  const bool again = error.fault == DbFault::kLost || error.fault == DbFault::kConflict;
  if (again && ++attempts_ < kMaxAttempts) return Next::kAgain;
  judge(unit, error);
  return Next::kDone;
}

void GroupWriter::judge(Unit unit, const DbError& error) {
  const bool of_the_row = error.fault == DbFault::kDuplicate || error.fault == DbFault::kPermanent;
  const bool of_all = error.fault == DbFault::kUnable || error.fault == DbFault::kDoubtful ||
                      error.fault == DbFault::kConflict;
  if (unit.size() > 1 && !of_all) {
    refused_alone_ = 0;
    for (GroupWork* const& work : unit) {
      if (is_settled(*work)) continue;
      if (refused_alone_ >= kMaxRefusedAlone) {
        refuse_for(Unit(&work, 1), error);
      } else {
        store(Unit(&work, 1));
      }
    }
    return;
  }
  if (error.fault == DbFault::kPermanent) return park(*unit.front(), error);
  if (!of_the_row) {
    ++refused_alone_;
    trouble_.refused(error);
  }
  refuse_for(unit, error);
}

void GroupWriter::refuse_for(Unit unit, const DbError& error) {
  const Error why = error.fault == DbFault::kDuplicate
                        ? Error{Code::kAlreadyExists, "the group's order has it, or another at its place"}
                        : to_error(error);
  for (GroupWork* work : unit) {
    if (!is_settled(*work)) refuse(*work, why);
  }
}

bool GroupWriter::settle(Unit unit) {
  const auto end_in_doubt = [&] {
    for (GroupWork* work : unit) {
      if (!is_settled(*work)) {
        refuse(*work, {Code::kDeadlineExceeded, "the process ends before the outcome is known"});
      }
    }
    return false;
  };
  for (;;) {
    if (connect()) {
      auto barrier = pass_barrier(*connection_, deps_.shard.node, deps_.state.epoch());
      if (barrier && *barrier) deps_.state.saw_barrier(**barrier);
      if (barrier && !*barrier) deps_.state.fence_lost();
      bool known = barrier.has_value();
      DbError lookup_error;
      // What another process finds it redoes from the rows, so only what is there counts.
      for (std::size_t i = 0; known && i < unit.size(); ++i) {
        auto stored = is_stored(*connection_, *unit[i]);
        known = stored.has_value();
        if (!known) {
          lookup_error = stored.error();
          break;
        }
        if (*stored) unit[i]->outcome = WriterWork::Outcome::kStored;
      }
      if (known && !*barrier) {
        for (GroupWork* work : unit) {
          if (!is_settled(*work)) refuse(*work, "another process owns the slots");
        }
      }
      if (known) return true;
      const DbError& why = barrier ? lookup_error : barrier.error();
      trouble_.failed(why, true);
      trouble_.refused(why);
      connection_.reset();
    }
    queue_.refuse_late();
    if (!queue_.pause(SteadyClock::now() + kPause)) return end_in_doubt();
  }
}

void GroupWriter::park(GroupWork& work, const DbError& error) {
  bool parked = false;
  if (connection_) {
    auto fence = begin_fenced(*connection_, deps_.shard.node, deps_.state.epoch());
    parked = fence && *fence == Fence::kHolds &&
             park_group_rows(*connection_, work, error.text()).has_value() &&
             connection_->commit().has_value();
  }
  // Not written down: it must not count as finished.
  if (!parked) {
    roll_back();
    return refuse(work, "a row that cannot be stored could not be parked");
  }
  work.outcome = WriterWork::Outcome::kParked;
  work.error = to_error(error);
  log::error("store", "group message parked shard={} group={} rows={} reason={}", deps_.config.name,
             work.group_id, work.rows.size(), error.text());
  counters_.parked.fetch_add(work.rows.size(), std::memory_order_relaxed);
}

void GroupWriter::roll_back() {
  if (connection_ && !connection_->rollback()) connection_.reset();
}

void GroupWriter::fence_lost(Unit unit) {
  for (GroupWork* work : unit) refuse(*work, "another process owns the slots");
  deps_.state.fence_lost();
}

}  // namespace hongyan::logic
