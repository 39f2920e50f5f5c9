#include "logic/store/mysql/threads/group_writer.h"

#include <utility>

#include "logic/store/mysql/sql/groups.h"

namespace hongyan::logic {

namespace {

constexpr int kMaxAttempts = 5;
constexpr Milliseconds kPause{100};
constexpr unsigned kMaxRefusedAlone = 3;

void refuse(StoreWork& work, Error error) {
  work.outcome = StoreWork::Outcome::kRefused;
  work.error = std::move(error);
}

bool is_command(const GroupWork& work) { return work.info.has_value() || work.answer.has_value(); }
bool is_settled(const GroupWork* work) { return work->outcome != StoreWork::Outcome::kPending; }
template <typename Why>
void refuse_open(const std::vector<GroupWork*>& unit, const Why& why) {
  for (GroupWork* work : unit) {
    if (!is_settled(work)) refuse(*work, why);
  }
}

}  // namespace

void GroupWriter::process(TakenWorks<GroupWorkPtr> taken) {
  batch_ = std::move(taken.works);
  taken_ = tenure_ = std::move(taken.tenure);
  process_batch();
  deps_.shard.sink->completed(std::exchange(batch_, {}));
}

bool GroupWriter::in_time(GroupWork& work) const {
  const SteadyTime now = SteadyClock::now();
  if (!deps_.state.serving(now)) {
    refuse(work, "the shard is not served");
  } else if (work.deadline < now) {
    refuse(work, "waited too long for the shard");
  }
  return !is_settled(&work);
}

void GroupWriter::complete_reads() {
  std::vector<GroupWorkPtr> done;
  for (auto& work : batch_) {
    if (work->op != GroupWork::Op::kStore) done.push_back(std::move(work));
  }
  std::erase(batch_, nullptr);
  if (!done.empty()) deps_.shard.sink->completed(std::move(done));
}

void GroupWriter::process_batch() {
  Unit plain;
  Unit commands;
  for (const auto& work : batch_) {
    if (is_settled(work.get()) || !in_time(*work)) continue;
    if (work->op != GroupWork::Op::kStore) {
      read(*work);
    } else if (connection_.trouble().resting(SteadyClock::now())) {
      refuse(*work, kNotTakenNow);
    } else if (!work->rows.empty() && work->rows.back().placed_id > deps_.state.id_limit() &&
               !deps_.state.wait_for_ids(work->rows.back().placed_id, Milliseconds(500))) {
      refuse(*work, "no ids to give");
    } else {
      (is_command(*work) ? commands : plain).push_back(work.get());
    }
  }
  complete_reads();
  if (!plain.empty()) store(std::move(plain));
  for (GroupWork* work : commands) {
    if (in_time(*work)) store({work});
  }
}

void GroupWriter::read(GroupWork& work) {
  for (bool again = true;; again = false) {
    if (auto connected = connection_.connect(); !connected) {
      connection_.trouble().refused(connected.error());
      return refuse_for({&work}, connected.error());
    }
    const auto done = connection_.noted(work.op == GroupWork::Op::kLoad ? load_group(*connection_, work)
                                                                        : find_placed(*connection_, work));
    if (done) {
      work.outcome = StoreWork::Outcome::kStored;
      return;
    }
    if (!again || done.error().fault != DbFault::kLost) return refuse(work, to_error(done.error()));
  }
}

void GroupWriter::store(Unit unit) {
  for (int attempt = 1;; ++attempt) {
    go_on_under(tenure_, unit);
    std::erase_if(unit, is_settled);
    if (unit.empty()) return;
    if (auto connected = connection_.connect(); !connected) {
      connection_.trouble().refused(connected.error());
      return refuse_for(unit, connected.error());
    }
    const Written written = write(unit);
    bool again = written.error.fault == DbFault::kLost;
    switch (written.outcome) {
      case Written::Outcome::kCommitted:
        return stored(unit);
      case Written::Outcome::kFenced:
        return refuse_open(unit, kFencedOff);
      case Written::Outcome::kMoved:
        tenure_ = written.tenure;
        again = true;
        break;
      case Written::Outcome::kUnknown:
        if (!settle(unit)) return;
        break;
      case Written::Outcome::kNotCommitted:
        again = again || written.error.fault == DbFault::kConflict;
        break;
    }
    std::erase_if(unit, is_settled);
    if (unit.empty()) return;
    if (!again || attempt == kMaxAttempts) return judge(unit, written.error);
    if (attempt > 1 && (queue_.stopping() || !pause(attempt - 2))) {
      return refuse_open(unit, "the node is stopping");
    }
  }
}

void GroupWriter::go_on_under(TenurePtr present, const Unit& unit) {
  tenure_ = std::move(present);
  for (GroupWork* work : unit) {
    if (!is_settled(work) && !tenure_->still_holds(work->slot, *taken_)) refuse_slot_lost(*work);
  }
}

Written GroupWriter::write(const Unit& unit) {
  if (is_command(*unit.front())) {
    return connection_.transact(
        *tenure_, [&](MysqlConnection& connection) { return store_command(connection, *unit.front()); });
  }
  return connection_.write_one(*tenure_, [&](MysqlConnection& connection, const FenceKey& key) {
    return insert_group_rows(connection, unit, key);
  });
}

void GroupWriter::stored(const Unit& unit) {
  for (GroupWork* work : unit) work->outcome = StoreWork::Outcome::kStored;
  refused_alone_ = 0;
  connection_.trouble().over();
}

void GroupWriter::judge(const Unit& unit, const DbError& error) {
  const bool of_the_row = error.fault == DbFault::kDuplicate || error.fault == DbFault::kPermanent;
  const bool of_all = error.fault == DbFault::kUnable || error.fault == DbFault::kDoubtful ||
                      error.fault == DbFault::kConflict;
  if (unit.size() > 1 && !of_all) {
    refused_alone_ = 0;
    for (GroupWork* work : unit) {
      if (refused_alone_ >= kMaxRefusedAlone) {
        refuse_for({work}, error);
      } else {
        store({work});
      }
    }
    return;
  }
  if (error.fault == DbFault::kPermanent) return park(*unit.front(), error);
  if (!of_the_row) {
    ++refused_alone_;
    connection_.trouble().refused(error);
  }
  refuse_for(unit, error);
}

void GroupWriter::refuse_for(const Unit& unit, const DbError& error) {
  refuse_open(unit, error.fault == DbFault::kDuplicate
                        ? Error{Code::kAlreadyExists, "the group's order has it, or another at its place"}
                        : to_error(error));
}

bool GroupWriter::settle(const Unit& unit) {
  for (;;) {
    DbStatus known = connection_.connect();
    if (known) {
      auto present = connection_.settle(*tenure_);
      known = present ? find_stored(unit) : std::unexpected(present.error());
      // What another process finds it redoes from the rows, so only what is there counts.
      if (known && *present) {
        go_on_under(std::move(*present), unit);
        return true;
      }
      if (known) {
        refuse_open(unit, kFencedOff);
        return true;
      }
    }
    connection_.trouble().refused(known.error());
    queue_.refuse_late();
    if (!queue_.pause(SteadyClock::now() + kPause)) {
      refuse_open(unit, Error{Code::kDeadlineExceeded, "the process ends before the outcome is known"});
      return false;
    }
  }
}

DbStatus GroupWriter::find_stored(const Unit& unit) {
  for (GroupWork* work : unit) {
    const auto stored = connection_.noted(is_stored(*connection_, *work));
    if (!stored) return std::unexpected(stored.error());
    if (*stored) work->outcome = StoreWork::Outcome::kStored;
  }
  return {};
}

void GroupWriter::park(GroupWork& work, const DbError& error) {
  const std::string reason = error.text();
  std::vector<ParkedRow> rows;
  rows.reserve(work.rows.size());
  for (const GroupRow& row : work.rows) {
    rows.push_back({.id = row.message.id,
                    .slot = work.slot,
                    .app_id = work.user.app_id,
                    .destination = std::to_string(work.group_id),
                    .reason = reason});
  }
  // Not written down: it must not count as finished.
  if (!connection_.connected() ||
      (!rows.empty() && connection_.park(*tenure_, rows).outcome != Written::Outcome::kCommitted)) {
    return refuse(work, "a row that cannot be stored could not be parked");
  }
  work.outcome = StoreWork::Outcome::kParked;
  work.error = to_error(error);
}

}  // namespace hongyan::logic
