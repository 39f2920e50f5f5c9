// The logic of one batch of a shard writer, without a database: what to do next, after which result.
//
//   batch.begin(works, now);
//   while ((step = batch.next(id_limit)) != Step::kDone) { do it; tell the batch what came of it; }
//   sink.completed(batch.take());
//
// The usual way is kLoadTails (users not met before), kStore, kDone. After any error everything is doubted:
// tails are forgotten, rows are looked up before they are stored again.
//
// What each kind of error means is DbFault's and perhaps_stored()'s to say; what a batch makes of it:
//
//   perhaps stored       first kConnect, kBarrier and kLookup, as often as it takes; then as below
//   duplicate            kLookup, then the rest again
//   conflict, lost       again, a few times
//   permanent            row by row; alone: an inbox row is parked, an outbox row refused
//   other                row by row; alone: refused
//   unable, doubtful     refused
//
// A batch that does not get through is taken row by row as well, and what of it does not get through alone is
// refused; after a few such rows the rest is refused with them. So no batch is tried for ever, but for what
// may be stored.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/msg_id.h"
#include "logic/store/mysql/db_error.h"
#include "logic/store/mysql/tail_cache.h"
#include "logic/store/rows.h"

namespace hongyan::logic {

// A row of im_message_send as a lookup finds it.
struct FoundOutbox {
  MsgId id = 0;
  std::int64_t seq = 0;
  std::int64_t sent_ms = 0;
  Target target;
};

// The rows after a refused one, which would overtake it, are refused as well. On the writer's thread.
void break_chain(WriterWork& work);

// Reused from batch to batch. One thread: its writer's. The cache and the clock outlive it.
class WriterBatch {
 public:
  enum class Step : std::uint8_t {
    kConnect,      // open a connection; connected() or failed()
    kWait,         // something must work before the batch can end, and does not: pause, then next() again
    kBarrier,      // wait for the transaction in doubt to end; barrier_passed(), fenced() or failed()
    kLoadTails,    // of unknown_users(), by set_tails(), or failed()
    kLoadCursors,  // and lists of groups of cursor_works(), into them; cursors_loaded() or failed()
    kLookup,       // of lookup_outbox() and lookup_inbox(), by found(); looked_up() or failed()
    kStore,        // outbox() and inbox() in one transaction; stored(), fenced() or failed()
    kPark,         // inbox() has one row, reason(): into im_parked; parked(), fenced() or failed()
    kDone,
  };

  WriterBatch(TailCache& tails, MsgIdClock& clock) : tails_(tails), clock_(clock) {}
  WriterBatch(const WriterBatch&) = delete;
  WriterBatch& operator=(const WriterBatch&) = delete;

  // Takes the works, refuses those past their deadline; those refused already stay so. `has_connection`:
  // whether kConnect must come first.
  void begin(std::vector<WriterWorkPtr> works, SteadyTime now, bool has_connection);
  [[nodiscard]] Step next(MsgId id_limit);
  // The works, finished, in the order of begin().
  [[nodiscard]] std::vector<WriterWorkPtr> take();

  [[nodiscard]] std::span<UserTails* const> unknown_users() const noexcept { return unknown_; }
  [[nodiscard]] std::span<TailsWork* const> cursor_works() const noexcept { return asking_; }
  [[nodiscard]] std::span<OutboxWork* const> lookup_outbox() const noexcept { return outbox_; }
  [[nodiscard]] std::span<InboxWork* const> lookup_inbox() const noexcept { return inbox_; }
  // Sorted by primary key.
  [[nodiscard]] std::span<OutboxWork* const> outbox() const noexcept { return outbox_; }
  [[nodiscard]] std::span<InboxWork* const> inbox() const noexcept { return inbox_; }
  // Whether rows of inbox() change their receivers' lists of groups.
  [[nodiscard]] bool has_memberships() const noexcept;
  [[nodiscard]] const std::string& reason() const noexcept { return park_reason_; }
  // While true the batch cannot be given up: rows may be stored or not.
  [[nodiscard]] bool unsettled() const noexcept { return unsettled_; }
  // Whether messages of this batch were stored, and why works were refused that the server did not take.
  [[nodiscard]] bool stored_some() const noexcept { return stored_some_; }
  [[nodiscard]] const std::optional<DbError>& refusal() const noexcept { return refusal_; }

  void connected() noexcept { connected_ = true; }
  // ROLLBACK did not work: the connection was dropped.
  void disconnected() noexcept { connected_ = false; }
  void set_tails(std::size_t unknown_index, std::int64_t inbox, std::int64_t outbox) noexcept;
  void found_outbox(std::size_t lookup_index, const FoundOutbox& row, SteadyTime now);
  void found_inbox(std::size_t lookup_index, std::int64_t seq);
  void cursors_loaded() noexcept;
  void looked_up() noexcept;
  void stored();
  void parked();
  void barrier_passed() noexcept { in_doubt_ = false; }
  void fenced();
  // Of the last step.
  void failed(const DbError& error, DbSent sent);
  // Refuses what is certainly not stored and not begun anew: the process ends.
  void give_up(Error error) { give_up_ = std::move(error); }
  // The process ends: what is unsettled comes back as kRefused with kDeadlineExceeded.
  void abandon();

 private:
  enum class State : std::uint8_t { kOpen, kNumbered, kDuplicate, kDone };
  struct Row {
    WriterWorkPtr work;
    UserTails* user = nullptr;
    std::uint32_t first = 0;  // kDuplicate: the row that this one repeats
    State state = State::kOpen;
    bool lookup = false;
    bool has_cursors = false;  // kTails: read already
    bool doubtful = false;     // was part of a transaction of unknown outcome
  };

  [[nodiscard]] std::span<Row> window() {
    return std::span(rows_).subspan(window_begin_, window_end_ - window_begin_);
  }
  [[nodiscard]] bool window_open();
  void find_duplicates();
  [[nodiscard]] bool same_key(const Row& a, const Row& b) const;
  void collect_unknown();
  void collect_asking();
  void collect_lookups();
  void number(MsgId id_limit);
  void finish(Row& row, WriterWork::Outcome outcome);
  void refuse(Row& row, const Error& error);
  void refuse_open(const Error& error);
  // A step that failed; what it sent is surely not stored.
  struct Verdict {
    DbError error;
    bool storing = false;
  };
  void judge(const Verdict& verdict);
  void give_up_for(const DbError& error);
  void split_or(const Verdict& verdict);
  void finish_duplicates();
  void doubt_everything(bool lost);

  TailCache& tails_;
  MsgIdClock& clock_;
  std::vector<Row> rows_;
  std::size_t window_begin_ = 0;  // the rows of the present transaction: all, or one by one
  std::size_t window_end_ = 0;
  bool split_ = false;
  std::vector<UserTails*> unknown_;
  std::vector<TailsWork*> asking_;
  std::vector<OutboxWork*> outbox_;
  std::vector<InboxWork*> inbox_;
  std::vector<std::uint32_t> outbox_rows_;  // indices in rows_ of outbox_ and inbox_
  std::vector<std::uint32_t> inbox_rows_;
  std::vector<std::uint32_t> table_;  // hash table of find_duplicates
  std::string park_reason_;
  Step step_ = Step::kDone;
  bool connected_ = false;
  bool in_doubt_ = false;
  bool unsettled_ = false;
  bool fenced_ = false;
  bool park_ = false;
  bool pause_ = false;
  std::optional<Error> give_up_;
  std::optional<Verdict> verdict_;  // on the last step, once it is settled
  std::optional<DbError> refusal_;
  bool stored_some_ = false;
  unsigned stores_failed_ = 0;
  unsigned rows_failed_ = 0;  // alone
  unsigned conflicts_ = 0;
  unsigned duplicates_ = 0;
  unsigned losses_ = 0;
  std::uint64_t loads_ = 0;
};

}  // namespace hongyan::logic
