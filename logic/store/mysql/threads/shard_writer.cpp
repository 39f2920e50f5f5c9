#include "logic/store/mysql/threads/shard_writer.h"

#include <fmt/format.h>

#include <utility>

#include "common/log/log.h"
#include "logic/store/mysql/sql/users.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kCachedUsers = 200'000;  // about 50 MB
constexpr Milliseconds kIdPatience{500};
constexpr std::int64_t kIdAheadMs = 2;  // a batch may run this far ahead of the clock

}  // namespace

ShardWriter::ShardWriter(WriterDeps deps, std::size_t index)
    : WriterThread(std::move(deps), fmt::format("writer {}", index)),
      index_(index),
      tails_(kCachedUsers),
      batch_(tails_, *deps_.shard.clock) {}

void ShardWriter::process(TakenWorks<WriterWorkPtr> taken) {
  if (connection_.trouble().resting(SteadyClock::now())) {
    for (const WriterWorkPtr& work : taken.works) {
      const bool writes = work.as<TailsWork>() == nullptr;
      if (writes && work->outcome == StoreWork::Outcome::kPending) refuse(*work, kNotTakenNow);
    }
  }
  batch_.begin(std::move(taken), SteadyClock::now());
  pauses_ = 0;
  wait_for_ids();
  using Step = WriterBatch::Step;
  for (Step step = batch_.next(deps_.state.id_limit()); step != Step::kDone;
       step = batch_.next(deps_.state.id_limit())) {
    if (step == Step::kWait) {
      wait();
    } else if (auto connected = connection_.connect(); connected) {
      take(step);
    } else {
      batch_.unreachable(connected.error());
      if (batch_.unsettled()) connection_.trouble().refused(connected.error());
    }
  }
  judge_server();
  deps_.shard.sink->completed(batch_.take());
  tails_.shrink();
}

void ShardWriter::take(WriterBatch::Step step) {
  DbStatus read;
  switch (step) {
    case WriterBatch::Step::kBarrier:
      return barrier();
    case WriterBatch::Step::kStore:
      return tell(store(), &WriterBatch::stored);
    case WriterBatch::Step::kPark:
      return tell(park(), &WriterBatch::parked);
    case WriterBatch::Step::kLoadTails:
      read = connection_.noted(load_tails());
      break;
    case WriterBatch::Step::kLoadCursors:
      read = connection_.noted(load_cursors(*connection_, batch_.reads().cursor_works()));
      if (read) batch_.reads().cursors_loaded();
      break;
    case WriterBatch::Step::kLookup:
      read = connection_.noted(look_up());
      if (read) batch_.reads().looked_up();
      break;
    case WriterBatch::Step::kWait:
    case WriterBatch::Step::kDone:
      break;
  }
  if (!read) fail(read.error());
}

DbStatus ShardWriter::load_tails() {
  return logic::load_tails(*connection_, batch_.reads().unknown_users(),
                           [this](std::size_t user, std::int64_t inbox, std::int64_t outbox) {
                             batch_.reads().set_tails(user, inbox, outbox);
                           });
}

DbStatus ShardWriter::look_up() {
  const SteadyTime now = SteadyClock::now();
  auto outbox = look_up_outbox(*connection_, batch_.reads().lookup_outbox(),
                               [this, now](std::size_t work, const StoredMessage& row) {
                                 batch_.reads().found_outbox(work, row, now);
                               });
  if (!outbox) return outbox;
  return look_up_inbox(*connection_, batch_.reads().lookup_inbox(),
                       [this](std::size_t work, std::int64_t seq) { batch_.reads().found_inbox(work, seq); });
}

void ShardWriter::judge_server() {
  if (batch_.stored_some()) {
    connection_.trouble().over();
  } else if (batch_.refusal()) {
    connection_.trouble().refused(*batch_.refusal());
  }
}

void ShardWriter::barrier() {
  auto present = connection_.settle(batch_.tenure());
  if (!present) {
    fail(present.error());
  } else if (*present) {
    batch_.barrier_passed(std::move(*present));
  } else {
    batch_.fenced();
  }
}

Written ShardWriter::store() {
  const auto outbox = batch_.outbox();
  const auto inbox = batch_.inbox();
  const bool memberships = batch_.has_memberships();
  if (inbox.empty() && RowInsert<OutboxWork>::is_single(outbox.size())) {
    return connection_.write_one(batch_.tenure(), [&](MysqlConnection& connection, const FenceKey& key) {
      return insert_outbox_.run(connection, outbox, &key);
    });
  }
  if (outbox.empty() && RowInsert<InboxWork>::is_single(inbox.size()) && !memberships) {
    return connection_.write_one(batch_.tenure(), [&](MysqlConnection& connection, const FenceKey& key) {
      return insert_inbox_.run(connection, inbox, &key);
    });
  }
  return connection_.write_many(
      batch_.tenure(), [&](MysqlConnection& connection, const FenceKey& key) -> DbResult<Fence> {
        auto fence = insert_outbox_.run(connection, outbox, &key);
        if (!fence || *fence == Fence::kRefused) return fence;
        fence = insert_inbox_.run(connection, inbox, outbox.empty() ? &key : nullptr);
        if (!fence || *fence == Fence::kRefused || !memberships) return fence;
        if (auto written = write_memberships(connection, inbox); !written) {
          return std::unexpected(written.error());
        }
        return fence;
      });
}

Written ShardWriter::park() {
  const InboxWork& row = *batch_.inbox().front();
  const ParkedRow parked{.id = row.message.id,
                         .slot = row.slot,
                         .app_id = row.user.app_id,
                         .destination = row.user.uid,
                         .reason = batch_.reason()};
  return connection_.park(batch_.tenure(), std::span(&parked, 1));
}

void ShardWriter::tell(const Written& written, void (WriterBatch::*committed)()) {
  switch (written.outcome) {
    case Written::Outcome::kCommitted:
      return (batch_.*committed)();
    case Written::Outcome::kNotCommitted:
      return batch_.failed(written.error);
    case Written::Outcome::kUnknown:
      connection_.trouble().refused(written.error);
      return batch_.in_doubt(written.error);
    case Written::Outcome::kMoved:
      return batch_.moved(written.error, written.tenure);
    case Written::Outcome::kFenced:
      return batch_.fenced();
  }
}

void ShardWriter::fail(const DbError& error) {
  batch_.failed(error);
  if (batch_.unsettled()) connection_.trouble().refused(error);
}

void ShardWriter::wait() {
  queue_.refuse_late();
  if (!batch_.unsettled() && queue_.stopping()) {
    return batch_.give_up({Code::kUnavailable, "the node is stopping", kRetrySoonMs});
  }
  if (pause(pauses_++)) return;
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
