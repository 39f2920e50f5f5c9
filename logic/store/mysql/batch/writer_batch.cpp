#include "logic/store/mysql/batch/writer_batch.h"

#include <algorithm>
#include <utility>

namespace hongyan::logic {

namespace {

using State = BatchRow::State;
using Unread = BatchRow::Unread;
using Outcome = StoreWork::Outcome;

}  // namespace

void WriterBatch::begin(TakenWorks<WriterWorkPtr> taken, SteadyTime now) {
  taken_ = tenure_ = std::move(taken.tenure);
  rows_.clear();
  rows_.reserve(taken.works.size());
  for (WriterWorkPtr& work : taken.works) {
    UserTails& user = tails_.get(work->user, tenure_->slot_epoch(work->slot));
    BatchRow& row = rows_.emplace_back(std::move(work), user, now);
    if (row.work->outcome == Outcome::kRefused) {
      row.state = State::kDone;
      row.work->break_chain();
    }
  }
  mode_ = Mode::kAll;
  settled_ = Settled::kYes;
  pause_ = stored_some_ = false;
  give_up_.reset();
  verdict_.reset();
  refusal_.reset();
  attempts_ = {};
  window_begin_ = 0;
  window_end_ = rows_.size();
  for (BatchRow& row : rows_) {
    if (row.state == State::kOpen && row.work->deadline < now) {
      row.refuse({Code::kUnavailable, "waited too long for the shard", kRetrySoonMs});
    }
  }
  duplicates_.find(rows_);
}

std::vector<WriterWorkPtr> WriterBatch::take() {
  std::vector<WriterWorkPtr> works;
  works.reserve(rows_.size());
  for (BatchRow& row : rows_) works.push_back(std::move(row.work));
  rows_.clear();
  return works;
}

WriterBatch::Step WriterBatch::next(MsgId id_limit) {
  if (std::exchange(pause_, false)) return step_ = Step::kWait;
  while (true) {
    if (settled_ == Settled::kYes) {
      refuse_lost_slots();
      if (give_up_) refuse_open(*give_up_);
    }
    while (std::ranges::none_of(window(), &BatchRow::open)) {
      if (window_end_ == rows_.size()) {
        BatchDuplicates::finish(rows_);
        return step_ = Step::kDone;
      }
      row_by_row(window_end_);
    }
    if (settled_ == Settled::kInDoubt) return step_ = Step::kBarrier;
    if (reads_.need_tails(window())) return step_ = Step::kLoadTails;
    if (reads_.need_cursors(window())) return step_ = Step::kLoadCursors;
    if (reads_.need_lookup(window())) return step_ = Step::kLookup;
    if (std::exchange(settled_, Settled::kYes) != Settled::kYes) {
      if (verdict_) judge(*std::exchange(verdict_, std::nullopt));
      continue;
    }
    numbers_.give(window(), id_limit);
    if (mode_ == Mode::kParking && !inbox().empty()) return step_ = Step::kPark;
    if (!numbers_.empty()) return step_ = Step::kStore;
    stored();
  }
}

// From that row on.
void WriterBatch::row_by_row(std::size_t first) {
  window_begin_ = first;
  window_end_ = first + 1;
  mode_ = Mode::kOneByOne;
  attempts_.other_rows();
}

bool WriterBatch::has_memberships() const noexcept {
  return std::ranges::any_of(inbox(), [](const InboxWork* work) { return work->membership.has_value(); });
}

void WriterBatch::stored() {
  for (BatchRow& row : window()) {
    if (row.state != State::kNumbered) continue;
    row.user->inbox = row.user->next_inbox;
    row.user->outbox = row.user->next_outbox;
    row.finish(Outcome::kStored);
    stored_some_ = stored_some_ || row.tails == nullptr;
  }
}

void WriterBatch::parked() {
  for (BatchRow& row : window()) {
    if (row.state != State::kNumbered) continue;
    row.user->next_inbox = row.user->inbox;
    row.inbox->seq = 0;
    row.work->error = to_error({.fault = DbFault::kPermanent, .code = 0, .message = {}});
    row.finish(Outcome::kParked);
  }
}

void WriterBatch::barrier_passed(TenurePtr present) noexcept {
  tenure_ = std::move(present);
  settled_ = Settled::kLookUp;
}

void WriterBatch::moved(const DbError& error, TenurePtr present) {
  tenure_ = std::move(present);
  failed(error);
}

void WriterBatch::fenced() {
  give_up_ = {Code::kUnavailable, kFencedOff, kRetrySoonMs};
  if (settled_ == Settled::kInDoubt) settled_ = Settled::kLookUp;
  doubt_everything(false);
}

void WriterBatch::doubt_everything(bool lost) {
  for (BatchRow& row : window()) {
    tails_.forget(*row.user);
    row.doubt();
  }
  if (lost) tails_.forget_all();
}

void WriterBatch::in_doubt(const DbError& error) {
  // Parking may be repeated.
  if (step_ == Step::kStore) {
    settled_ = Settled::kInDoubt;
    for (BatchRow& row : window()) {
      if (row.state == State::kNumbered && row.tails == nullptr) row.unread = Unread::kPerhaps;
    }
  }
  failed(error);
}

void WriterBatch::failed(const DbError& error) {
  const bool storing = step_ == Step::kStore;
  doubt_everything(error.fault == DbFault::kLost);
  if (unsettled() && !storing) {
    pause_ = true;  // it must be settled, however long that takes
    return;
  }
  pause_ = attempts_.wants_pause(error.fault);
  verdict_ = {.error = error, .storing = storing};
  if (unsettled()) return;
  judge(*std::exchange(verdict_, std::nullopt));
  pause_ = pause_ && !give_up_;
}

void WriterBatch::unreachable(const DbError& error) {
  doubt_everything(error.fault == DbFault::kLost);
  if (unsettled()) {
    pause_ = true;
  } else {
    give_up_for(error);
  }
}

void WriterBatch::judge(const Verdict& verdict) {
  switch (attempts_.after(verdict.error.fault)) {
    case BatchAttempts::Next::kAgain:
      return;
    case BatchAttempts::Next::kAlone:
      return split_or_refuse(verdict);
    case BatchAttempts::Next::kGiveUp:
      return give_up_for(verdict.error);
  }
}

void WriterBatch::give_up_for(const DbError& error) {
  refusal_ = error;
  give_up_ = to_error(error);
}

void WriterBatch::split_or_refuse(const Verdict& verdict) {
  if (mode_ == Mode::kAll && rows_.size() > 1) return row_by_row(0);
  const DbError& error = verdict.error;
  BatchRow& row = rows_[window_begin_];
  if (error.fault == DbFault::kPermanent && verdict.storing && row.inbox != nullptr) {
    mode_ = Mode::kParking;
    park_reason_ = error.text();
    return;
  }
  if (row.state != State::kOpen) return;
  refusal_ = error;
  row.refuse(to_error(error));
  if (attempts_.is_of_all(error.fault)) give_up_for(error);
}

void WriterBatch::abandon() {
  settled_ = Settled::kYes;
  refuse_open({Code::kDeadlineExceeded, "the process ends before the outcome is known"});
  window_begin_ = 0;
  window_end_ = rows_.size();
  pause_ = false;
}

void WriterBatch::refuse_open(const Error& error) {
  for (BatchRow& row : rows_) {
    if (row.open()) row.refuse(error);
  }
}

void WriterBatch::refuse_lost_slots() {
  if (tenure_ == taken_) return;
  for (BatchRow& row : rows_) {
    if (!row.open() || tenure_->still_holds(row.work->slot, *taken_)) continue;
    row.refuse({Code::kUnavailable, kNotOurs, kRetrySoonMs});
    row.work->slot_lost = true;
  }
}

}  // namespace hongyan::logic
