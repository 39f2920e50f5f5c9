#include "logic/store/mysql/fence/fenced_connection.h"

#include <utility>

#include "common/log/log.h"
#include "logic/store/mysql/schema/shard_check.h"

namespace hongyan::logic {

namespace {
using Outcome = Written::Outcome;
}

FencedConnection::FencedConnection(Deps deps, std::string who)
    : deps_(std::move(deps)), trouble_(deps_.config.name, deps_.state, std::move(who)) {}

DbStatus FencedConnection::connect() {
  if (connection_) return {};
  if (SteadyClock::now() < connect_again_at_) return std::unexpected(connect_error_);
  auto made = deps_.open ? deps_.open() : open_checked(deps_.config);
  if (made) {
    connection_ = std::move(*made);
    return {};
  }
  connect_again_at_ = SteadyClock::now() + deps_.connect_again;
  connect_error_ = made.error();
  trouble_.failed(connect_error_, false);
  return std::unexpected(connect_error_);
}

FenceKey FencedConnection::begin(const Tenure& tenure) {
  if (deps_.hooks.before_write) deps_.hooks.before_write();
  return {.node = deps_.node, .epoch = tenure.epoch, .barrier = tenure.barrier};
}

CommitFault FencedConnection::next_fault() const {
  return deps_.hooks.commit_fault ? deps_.hooks.commit_fault() : CommitFault::kNone;
}

Written FencedConnection::write_one(const Tenure& tenure, const Statement& statement) {
  const FenceKey key = begin(tenure);
  const CommitFault fault = next_fault();
  if (fault == CommitFault::kCutBefore) connection_->cut();
  auto done = statement(*connection_, key);
  if (done && fault == CommitFault::kCutAfter) {
    connection_->cut();
    done = std::unexpected(DbError{.fault = DbFault::kLost, .code = 0, .message = "cut"});
  }
  return end(std::move(done), tenure, DbSent::kStatement);
}

Written FencedConnection::write_many(const Tenure& tenure, const Statement& statements) {
  const FenceKey key = begin(tenure);
  if (auto begun = connection_->query("BEGIN"); !begun) return failed(begun.error(), DbSent::kNothing);
  const CommitFault fault = next_fault();
  return commit(statements(*connection_, key), tenure, fault);
}

Written FencedConnection::transact(const Tenure& tenure, const Statements& statements) {
  auto done = begin_fenced(*connection_, begin(tenure));
  if (done && *done == Fence::kHolds) {
    if (auto written = statements(*connection_); !written) done = std::unexpected(written.error());
  }
  return commit(done, tenure, next_fault());
}

Written FencedConnection::commit(const DbResult<Fence>& done, const Tenure& tenure, CommitFault fault) {
  if (!done || *done != Fence::kHolds) return end(done, tenure, DbSent::kNothing);
  if (auto committed = connection_->commit(fault); !committed) {
    return failed(committed.error(), DbSent::kCommit);
  }
  return {};
}

Written FencedConnection::end(DbResult<Fence> done, const Tenure& tenure, DbSent sent) {
  if (!done) return failed(done.error(), sent);
  return *done == Fence::kHolds ? Written{} : refused(tenure);
}

Written FencedConnection::failed(const DbError& error, DbSent sent) {
  const bool unknown = perhaps_stored(error.fault, sent);
  note(error, unknown);
  return {.outcome = unknown ? Outcome::kUnknown : Outcome::kNotCommitted, .error = error};
}

// Nothing was stored: why, and what holds now.
Written FencedConnection::refused(const Tenure& tenure) {
  if (!connection_->rollback()) drop();
  if (!connection_) {
    return failed({.fault = DbFault::kLost, .code = 0, .message = "lost after a refusal by the fence"},
                  DbSent::kNothing);
  }
  auto present = read_present(tenure.epoch);
  if (!present) return failed(present.error(), DbSent::kNothing);
  if (!*present) return {.outcome = Outcome::kFenced};
  const DbError error{.fault = DbFault::kConflict, .code = 0, .message = "a barrier was passed meanwhile"};
  trouble_.failed(error, false);
  return {.outcome = Outcome::kMoved, .error = error, .tenure = std::move(*present)};
}

DbResult<TenurePtr> FencedConnection::read_present(std::uint64_t epoch) {
  const TenurePtr before = deps_.state.tenure();
  auto read = read_tenure(*connection_, deps_.node, epoch);
  if (!read) return std::unexpected(read.error());
  if (!*read) {
    deps_.state.fence_lost(epoch);
    return nullptr;
  }
  deps_.state.merge(before, **read);
  return TenurePtr(std::move(*read));
}

DbResult<TenurePtr> FencedConnection::settle(const Tenure& tenure) {
  auto passed = pass_barrier(*connection_, deps_.node, tenure.epoch);
  auto present = !passed   ? DbResult<TenurePtr>(std::unexpected(passed.error()))
                 : *passed ? read_present(tenure.epoch)
                           : DbResult<TenurePtr>();
  if (passed && !*passed) deps_.state.fence_lost(tenure.epoch);
  if (!present) note(present.error(), true);
  return present;
}

Written FencedConnection::park(const Tenure& tenure, std::span<const ParkedRow> rows) {
  auto written =
      transact(tenure, [rows](MysqlConnection& connection) { return insert_parked(connection, rows); });
  if (written.outcome != Outcome::kCommitted) return written;
  for (const ParkedRow& row : rows) {
    log::error("store", "row parked shard={} id={} slot={} reason={}", deps_.config.name, row.id, row.slot,
               row.reason);
  }
  return written;
}

void FencedConnection::note(const DbError& error, bool perhaps_stored) {
  // A resend of what is stored is no trouble.
  if (error.fault != DbFault::kDuplicate) trouble_.failed(error, perhaps_stored);
  if (error.fault == DbFault::kLost || (connection_ && !connection_->rollback())) drop();
}

}  // namespace hongyan::logic
