// The logic of one batch of a shard writer, without a database: what to do next, after which result.
//
//   batch.begin(taken, now);
//   while ((step = batch.next(id_limit)) != Step::kDone) { do it; tell the batch what came of it; }
//   sink.completed(batch.take());
//
// The usual way is kLoadTails (users not met before), kStore, kDone. After any error everything is doubted:
// tails are forgotten, rows are looked up before they are stored again.
//
// What each kind of error means is DbFault's and perhaps_stored()'s to say; how often it is tried
// again is BatchAttempts', once it is known what was stored. A batch that does not get through is taken row by
// row, and what of it does not get through alone is refused; after a few such rows the rest is refused with
// them. So no batch is tried for ever, but for what may be stored.
//
// The batch is built, stored and settled under the tenure that it was taken under. When a barrier was passed
// meanwhile it goes on under the present one, without the rows whose lease is gone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/msg_id.h"
#include "logic/store/box_works.h"
#include "logic/store/mysql/batch/batch_attempts.h"
#include "logic/store/mysql/batch/batch_duplicates.h"
#include "logic/store/mysql/batch/batch_numbers.h"
#include "logic/store/mysql/batch/batch_reads.h"
#include "logic/store/mysql/batch/batch_row.h"
#include "logic/store/mysql/batch/tail_cache.h"
#include "logic/store/mysql/connection/db_error.h"
#include "logic/store/mysql/state/tenure.h"
#include "logic/store/mysql/state/work_queue.h"

namespace hongyan::logic {

// Reused from batch to batch. One thread: its writer's. The cache and the clock outlive it.
class WriterBatch {
 public:
  // All but the last two need a connection; when there is none to be had: unreachable().
  enum class Step : std::uint8_t {
    kBarrier,      // wait for the transaction in doubt to end; barrier_passed(), fenced() or failed()
    kLoadTails,    // of reads().unknown_users(); or failed()
    kLoadCursors,  // and lists of groups of reads().cursor_works(), into them; or failed()
    kLookup,       // of reads().lookup_outbox() and lookup_inbox(); or failed()
    kStore,  // outbox() and inbox() in one transaction; stored(), moved(), fenced(), failed(), in_doubt()
    kPark,   // inbox() has one row, reason(): into im_parked; parked(), moved(), fenced() or failed()
    kWait,   // something must work before the batch can end, and does not: pause, then next() again
    kDone,
  };

  WriterBatch(TailCache& tails, MsgIdClock& clock) : tails_(tails), reads_(tails), numbers_(clock) {}
  WriterBatch(const WriterBatch&) = delete;
  WriterBatch& operator=(const WriterBatch&) = delete;

  // Refuses the works past their deadline; those refused already stay so.
  void begin(TakenWorks<WriterWorkPtr> taken, SteadyTime now);
  [[nodiscard]] Step next(MsgId id_limit);
  // The works, finished, in the order of begin().
  [[nodiscard]] std::vector<WriterWorkPtr> take();

  // What to write and to pass barriers under.
  [[nodiscard]] const Tenure& tenure() const noexcept { return *tenure_; }
  // What the step is to read, and is to be told what it read.
  [[nodiscard]] BatchReads& reads() noexcept { return reads_; }
  // Sorted by primary key.
  [[nodiscard]] std::span<OutboxWork* const> outbox() const noexcept { return numbers_.outbox(); }
  [[nodiscard]] std::span<InboxWork* const> inbox() const noexcept { return numbers_.inbox(); }
  // Whether rows of inbox() change their receivers' lists of groups.
  [[nodiscard]] bool has_memberships() const noexcept;
  [[nodiscard]] const std::string& reason() const noexcept { return park_reason_; }
  // While true the batch cannot be given up: rows may be stored or not.
  [[nodiscard]] bool unsettled() const noexcept { return settled_ != Settled::kYes; }
  // Whether messages of this batch were stored, and why works were refused that the server did not take.
  [[nodiscard]] bool stored_some() const noexcept { return stored_some_; }
  [[nodiscard]] const std::optional<DbError>& refusal() const noexcept { return refusal_; }

  void stored();
  void parked();
  void barrier_passed(TenurePtr present) noexcept;
  // Nothing was stored: a barrier was passed meanwhile.
  void moved(const DbError& error, TenurePtr present);
  void fenced();
  // The last step did not work and stored nothing.
  void failed(const DbError& error);
  // The last step was kStore, and nobody knows whether it worked.
  void in_doubt(const DbError& error);
  // No connection for the last step.
  void unreachable(const DbError& error);
  // Refuses what is certainly not stored and not begun anew: the process ends.
  void give_up(Error error) { give_up_ = std::move(error); }
  // The process ends: what is unsettled comes back as kRefused with kDeadlineExceeded.
  void abandon();

 private:
  enum class Mode : std::uint8_t { kAll, kOneByOne, kParking };
  enum class Settled : std::uint8_t {
    kYes,
    kInDoubt,  // a transaction may still be under way
    kLookUp,   // what is stored is there, and is not looked up yet
  };
  // A step that failed; what it sent is surely not stored.
  struct Verdict {
    DbError error;
    bool storing = false;
  };

  [[nodiscard]] std::span<BatchRow> window() {
    return std::span(rows_).subspan(window_begin_, window_end_ - window_begin_);
  }
  void row_by_row(std::size_t first);
  void refuse_open(const Error& error);
  void refuse_lost_slots();
  void judge(const Verdict& verdict);
  void give_up_for(const DbError& error);
  void split_or_refuse(const Verdict& verdict);
  void doubt_everything(bool lost);

  TailCache& tails_;
  TenurePtr taken_;   // what the works were taken under
  TenurePtr tenure_;  // the same, or what holds since a barrier was passed
  std::vector<BatchRow> rows_;
  std::size_t window_begin_ = 0;  // the rows of the present transaction: all, or one by one
  std::size_t window_end_ = 0;
  Mode mode_ = Mode::kAll;
  BatchDuplicates duplicates_;
  BatchReads reads_;
  BatchNumbers numbers_;
  BatchAttempts attempts_;
  std::string park_reason_;
  Step step_ = Step::kDone;
  Settled settled_ = Settled::kYes;
  bool pause_ = false;
  std::optional<Error> give_up_;
  std::optional<Verdict> verdict_;  // on the last step, once it is settled
  std::optional<DbError> refusal_;
  bool stored_some_ = false;
};

}  // namespace hongyan::logic
