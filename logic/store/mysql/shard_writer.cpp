#include "logic/store/mysql/shard_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "logic/store/mysql/shard_check.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kCachedUsers = 200'000;  // about 50 MB
constexpr Milliseconds kIdPatience{500};
constexpr std::int64_t kIdAheadMs = 2;  // a batch may run this far ahead of the clock
constexpr Milliseconds kFirstPause{20};
constexpr unsigned kMaxPauseDoublings = 4;
constexpr std::uint32_t kRetryAfterMs = 200;
constexpr const char* kNotNow = "the storage does not take it now";

}  // namespace

ShardWriter::ShardWriter(Deps deps, std::size_t index)
    : deps_(std::move(deps)),
      index_(index),
      queue_(deps_.config, deps_.state, *deps_.shard.sink),
      tails_(kCachedUsers),
      batch_(tails_, *deps_.shard.clock),
      trouble_(deps_.config.name, deps_.state, fmt::format("writer {}", index)) {}

ShardWriter::~ShardWriter() { stop(SteadyClock::now()); }

void ShardWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void ShardWriter::stop(SteadyTime deadline) {
  queue_.stop(deadline);
  if (thread_.joinable()) thread_.join();
}

void ShardWriter::run() {
  const MysqlThread mysql_thread;
  std::vector<WriterWorkPtr> works;
  while (queue_.take(works)) {
    process(std::exchange(works, {}));
    tails_.shrink();
  }
  connection_.reset();
}

void ShardWriter::process(std::vector<WriterWorkPtr> works) {
  if (trouble_.resting(SteadyClock::now())) {
    for (const WriterWorkPtr& work : works) {
      const bool writes = work->kind() != WriterWork::Kind::kTails;
      if (writes && work->outcome == WriterWork::Outcome::kPending) refuse(*work, kNotNow);
    }
  }
  batch_.begin(std::move(works), SteadyClock::now(), connection_ != nullptr);
  pauses_ = 0;
  wait_for_ids();
  using Step = WriterBatch::Step;
  for (Step step = batch_.next(deps_.state.id_limit()); step != Step::kDone;
       step = batch_.next(deps_.state.id_limit())) {
    switch (step) {
      case Step::kConnect:
        connect();
        break;
      case Step::kWait:
        pause();
        break;
      case Step::kBarrier:
        barrier();
        break;
      case Step::kLoadTails:
        if (auto done = load_tails(*connection_, batch_); !done) fail(done.error(), DbSent::kNothing);
        break;
      case Step::kLoadCursors:
        if (auto done = load_cursors(*connection_, batch_.cursor_works()); done) {
          batch_.cursors_loaded();
        } else {
          fail(done.error(), DbSent::kNothing);
        }
        break;
      case Step::kLookup:
        if (auto done = look_up(*connection_, batch_, SteadyClock::now()); done) {
          batch_.looked_up();
        } else {
          fail(done.error(), DbSent::kNothing);
        }
        break;
      case Step::kStore:
        store();
        break;
      case Step::kPark:
        park();
        break;
      case Step::kDone:
        break;
    }
  }
  judge_server();
  deps_.shard.sink->completed(batch_.take());
}

void ShardWriter::judge_server() {
  if (batch_.stored_some()) {
    trouble_.over();
  } else if (batch_.refusal()) {
    trouble_.refused(*batch_.refusal());
  }
}

void ShardWriter::connect() {
  auto made = open_checked(deps_.config);
  if (made) {
    connection_ = std::move(*made);
    batch_.connected();
  } else {
    fail(made.error(), DbSent::kNothing);
  }
}

void ShardWriter::barrier() {
  auto passed = pass_barrier(*connection_, deps_.shard.node, deps_.state.epoch());
  if (!passed) {
    fail(passed.error(), DbSent::kNothing);
  } else if (*passed) {
    deps_.state.saw_barrier(**passed);
    batch_.barrier_passed();
  } else {
    batch_.fenced();
    deps_.state.fence_lost();
  }
}

bool ShardWriter::begin() {
  auto fence = begin_fenced(*connection_, deps_.shard.node, deps_.state.epoch());
  if (!fence) {
    fail(fence.error(), DbSent::kNothing);
    return false;
  }
  if (*fence == Fence::kHolds) return true;
  fence_lost();
  return false;
}

void ShardWriter::fence_lost() {
  if (!connection_->rollback()) {
    connection_.reset();
    batch_.disconnected();
  }
  batch_.fenced();
  deps_.state.fence_lost();
}

void ShardWriter::refused_by_fence(std::uint64_t epoch) {
  auto barrier = read_barrier(*connection_, deps_.shard.node, epoch);
  if (!barrier) return fail(barrier.error(), DbSent::kNothing);
  if (!*barrier) return fence_lost();
  deps_.state.saw_barrier(**barrier);
  fail({.fault = DbFault::kConflict, .code = 0, .message = "a barrier was passed meanwhile"},
       DbSent::kNothing);
}

void ShardWriter::store() {
  const std::size_t outbox = batch_.outbox().size();
  const std::size_t inbox = batch_.inbox().size();
  const bool single = outbox == 0  ? RowInsert<InboxWork>::is_single(inbox) && !batch_.has_memberships()
                      : inbox == 0 ? RowInsert<OutboxWork>::is_single(outbox)
                                   : false;
  if (!single) {
    if (auto begun = connection_->query("BEGIN"); !begun) return fail(begun.error(), DbSent::kNothing);
  }
  const CommitFault fault = deps_.commit_fault ? deps_.commit_fault() : CommitFault::kNone;
  if (single && fault == CommitFault::kCutBefore) connection_->cut();
  if (!insert(single)) return;
  if (single && fault == CommitFault::kCutAfter) {
    connection_->cut();
    return fail({.fault = DbFault::kLost, .code = 0, .message = "cut"}, DbSent::kStatement);
  }
  if (!single) {
    if (auto done = connection_->commit(fault); !done) return fail(done.error(), DbSent::kCommit);
  }
  batch_.stored();
  counters_.batches.fetch_add(1, std::memory_order_relaxed);
  counters_.rows.fetch_add(outbox + inbox, std::memory_order_relaxed);
}

bool ShardWriter::insert(bool commits) {
  const FenceKey key{
      .node = deps_.shard.node, .epoch = deps_.state.epoch(), .barrier = deps_.state.barrier()};
  auto fence = insert_outbox_.run(*connection_, batch_.outbox(), &key);
  if (fence && *fence == Fence::kHolds) {
    fence = insert_inbox_.run(*connection_, batch_.inbox(), batch_.outbox().empty() ? &key : nullptr);
  }
  if (fence && *fence == Fence::kHolds && batch_.has_memberships()) {
    if (auto written = write_memberships(*connection_, batch_.inbox()); !written) {
      fence = std::unexpected(written.error());
    }
  }
  if (!fence) {
    fail(fence.error(), commits ? DbSent::kStatement : DbSent::kNothing);
    return false;
  }
  if (*fence == Fence::kLost) refused_by_fence(key.epoch);
  return *fence == Fence::kHolds;
}

void ShardWriter::park() {
  const InboxWork& row = *batch_.inbox().front();
  if (!begin()) return;
  if (auto done = insert_parked(*connection_, row, batch_.reason()); !done)
    return fail(done.error(), DbSent::kNothing);
  if (auto done = connection_->commit(); !done) return fail(done.error(), DbSent::kCommit);
  log::error("store", "row parked shard={} msg_id={} slot={} reason={}", deps_.config.name, row.message.id,
             row.slot, batch_.reason());
  batch_.parked();
  counters_.parked.fetch_add(1, std::memory_order_relaxed);
}

void ShardWriter::fail(const DbError& error, DbSent sent) {
  counters_.errors.fetch_add(1, std::memory_order_relaxed);
  if (error.fault != DbFault::kDuplicate) trouble_.failed(error, perhaps_stored(error.fault, sent));
  batch_.failed(error, sent);
  if (batch_.unsettled()) trouble_.refused(error);
  if (connection_ && error.fault != DbFault::kLost && !connection_->rollback()) {
    connection_.reset();
    batch_.disconnected();
  }
  if (error.fault == DbFault::kLost) connection_.reset();
}

void ShardWriter::pause() {
  queue_.refuse_late();
  const Milliseconds most = kFirstPause * (1 << std::min(pauses_++, kMaxPauseDoublings));
  if (!batch_.unsettled() && queue_.stopping()) {
    return batch_.give_up({Code::kUnavailable, "the node is stopping", kRetryAfterMs});
  }
  if (queue_.pause(SteadyClock::now() + most)) return;
  log::error("store", "stopped with a batch of unknown outcome shard={} writer={}", deps_.config.name,
             index_);
  batch_.abandon();
}

void ShardWriter::wait_for_ids() {
  // The usual case is two loads: the keeper keeps the limit ten seconds ahead.
  const MsgId needed = first_msg_id_at(deps_.shard.clock->time_ms() + kIdAheadMs);
  if (deps_.state.id_limit() < needed && deps_.state.serving(SteadyClock::now())) {
    static_cast<void>(deps_.state.wait_for_ids(needed, kIdPatience));
  }
}

}  // namespace hongyan::logic
