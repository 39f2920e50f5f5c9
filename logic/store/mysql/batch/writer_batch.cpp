#include "logic/store/mysql/batch/writer_batch.h"

#include <algorithm>
#include <utility>

namespace hongyan::logic {

namespace {

constexpr unsigned kMaxConflicts = 5;
constexpr unsigned kMaxDuplicates = 4;
constexpr unsigned kMaxLosses = 3;
constexpr unsigned kMaxRowsFailed = 3;
constexpr std::chrono::seconds kCareful{60};
constexpr std::uint32_t kRetryAfterMs = 200;
using Outcome = StoreWork::Outcome;

bool key_less(const StoreWork& a, std::int64_t a_seq, const StoreWork& b, std::int64_t b_seq) {
  if (const int order = a.user.app_id.compare(b.user.app_id); order != 0) return order < 0;
  if (const int order = a.user.uid.compare(b.user.uid); order != 0) return order < 0;
  return a_seq < b_seq;
}

}  // namespace

WriterBatch::Row WriterBatch::make_row(WriterWorkPtr work, SteadyTime now) {
  Row row(std::move(work));
  row.user = &tails_.get(row.work->user, tenure_->slot_epoch(row.work->slot));
  const bool look = row.outbox != nullptr
                        ? row.user->careful_until > now || row.outbox->unless_stored.has_value()
                    : row.inbox != nullptr ? row.inbox->lookup_first
                                           : true;
  if (look) row.unread = Unread::kYes;
  return row;
}

void WriterBatch::begin(TakenWorks<WriterWorkPtr> taken, SteadyTime now) {
  taken_ = tenure_ = std::move(taken.tenure);
  rows_.clear();
  rows_.reserve(taken.works.size());
  for (WriterWorkPtr& work : taken.works) {
    Row& row = rows_.emplace_back(make_row(std::move(work), now));
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
  stores_failed_ = rows_failed_ = conflicts_ = duplicates_ = losses_ = 0;
  window_begin_ = 0;
  window_end_ = rows_.size();
  for (Row& row : rows_) {
    if (row.state == State::kOpen && row.work->deadline < now) {
      refuse(row, {Code::kUnavailable, "waited too long for the shard", kRetryAfterMs});
    }
  }
  find_duplicates();
}

std::vector<WriterWorkPtr> WriterBatch::take() {
  std::vector<WriterWorkPtr> works;
  works.reserve(rows_.size());
  for (Row& row : rows_) works.push_back(std::move(row.work));
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
    while (!window_open()) {
      if (window_end_ == rows_.size()) {
        finish_duplicates();
        return step_ = Step::kDone;
      }
      next_row();
    }
    if (settled_ == Settled::kInDoubt) return step_ = Step::kBarrier;
    collect_unknown();
    if (!unknown_.empty()) return step_ = Step::kLoadTails;
    collect_asking();
    if (!asking_.empty()) return step_ = Step::kLoadCursors;
    collect_lookups();
    if (!outbox_.empty() || !inbox_.empty()) return step_ = Step::kLookup;
    if (std::exchange(settled_, Settled::kYes) != Settled::kYes) {
      if (verdict_) judge(*std::exchange(verdict_, std::nullopt));
      continue;
    }
    number(id_limit);
    if (mode_ == Mode::kParking && !inbox_.empty()) return step_ = Step::kPark;
    if (!outbox_.empty() || !inbox_.empty()) return step_ = Step::kStore;
    stored();
  }
}

bool WriterBatch::window_open() { return std::ranges::any_of(window(), &Row::open); }

void WriterBatch::next_row() {
  window_begin_ = window_end_++;
  mode_ = Mode::kOneByOne;
  conflicts_ = duplicates_ = losses_ = 0;
}

void WriterBatch::find_duplicates() {
  if (rows_.size() < 2) return;
  duplicates_of_.clear();
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    if (row.state != State::kOpen || row.tails != nullptr) continue;
    row.first = row.outbox != nullptr
                    ? duplicates_of_.first_of(row.user, row.outbox->message.client_msg_id, i)
                    : duplicates_of_.first_of(row.user, row.inbox->message.id, i);
    if (row.first != i) row.state = State::kDuplicate;
  }
}

void WriterBatch::collect_unknown() {
  unknown_.clear();
  unknown_keys_.clear();
  ++loads_;
  for (Row& row : window()) {
    if (!row.open() || tails_.known(*row.user) || row.user->asked == loads_) continue;
    row.user->asked = loads_;
    unknown_.push_back(row.user);
    unknown_keys_.push_back(row.user->key);
  }
}

void WriterBatch::collect_asking() {
  asking_.clear();
  for (Row& row : window()) {
    if (row.state != State::kOpen || row.tails == nullptr || row.unread == Unread::kNothing) continue;
    asking_.push_back(row.tails);
    row.tails->cursors.clear();
    row.tails->groups.clear();
    row.tails->ban = {};
  }
}

void WriterBatch::cursors_loaded() noexcept {
  for (Row& row : window()) {
    if (row.tails != nullptr) row.unread = Unread::kNothing;
  }
}

void WriterBatch::collect_lookups() {
  outbox_.clear();
  inbox_.clear();
  outbox_rows_.clear();
  inbox_rows_.clear();
  for (std::size_t i = window_begin_; i < window_end_; ++i) {
    const Row& row = rows_[i];
    if (row.state != State::kOpen || row.unread == Unread::kNothing) continue;
    if (row.outbox != nullptr) {
      outbox_.push_back(row.outbox);
      outbox_rows_.push_back(static_cast<std::uint32_t>(i));
    } else if (row.inbox != nullptr) {
      inbox_.push_back(row.inbox);
      inbox_rows_.push_back(static_cast<std::uint32_t>(i));
    }
  }
}

void WriterBatch::number(MsgId id_limit) {
  outbox_.clear();
  inbox_.clear();
  for (Row& row : window()) {
    row.user->next_inbox = row.user->inbox;
    row.user->next_outbox = row.user->outbox;
  }
  for (Row& row : window()) {
    if (row.state == State::kOpen && number(row, id_limit)) row.state = State::kNumbered;
  }
  const auto by_key = [](const auto* a, const auto* b) { return key_less(*a, a->seq, *b, b->seq); };
  std::ranges::sort(outbox_, by_key);
  std::ranges::sort(inbox_, by_key);
}

// False: refused.
bool WriterBatch::number(Row& row, MsgId id_limit) {
  if (row.tails != nullptr) {
    row.tails->inbox_seq = row.user->next_inbox;
    row.tails->outbox_seq = row.user->next_outbox;
    return true;
  }
  if (row.inbox != nullptr) {
    if (row.inbox->chain_broken && *row.inbox->chain_broken) {
      refuse(row, {Code::kUnavailable, "an earlier row was refused", kRetryAfterMs});
      return false;
    }
    row.inbox->seq = ++row.user->next_inbox;
    inbox_.push_back(row.inbox);
    return true;
  }
  if (row.outbox->unless_stored) {
    refuse(row, *row.outbox->unless_stored);
    return false;
  }
  row.outbox->message.id = clock_.next();
  if (row.outbox->message.id > id_limit) {
    refuse(row, {Code::kUnavailable, "no message ids to give", kRetryAfterMs});
    return false;
  }
  row.outbox->seq = ++row.user->next_outbox;
  outbox_.push_back(row.outbox);
  return true;
}

void WriterBatch::set_tails(std::size_t unknown_index, std::int64_t inbox, std::int64_t outbox) noexcept {
  tails_.set(*unknown_[unknown_index], inbox, outbox);
}

void WriterBatch::found_outbox(std::size_t lookup_index, const StoredMessage& found, SteadyTime now) {
  Row& row = rows_[outbox_rows_[lookup_index]];
  OutboxWork& work = *row.outbox;
  const bool mine = row.unread == Unread::kPerhaps && work.message.id == found.message.id;
  if (!mine) row.user->careful_until = now + kCareful;
  work.message.id = found.message.id;
  work.seq = found.seq;
  work.message.sent_ms = found.message.sent_ms;
  work.stored_for = found.message.target();
  finish(row, mine ? Outcome::kStored : Outcome::kExists);
}

void WriterBatch::found_inbox(std::size_t lookup_index, std::int64_t seq) {
  Row& row = rows_[inbox_rows_[lookup_index]];
  const bool mine = row.unread == Unread::kPerhaps && row.inbox->seq == seq;
  row.inbox->seq = seq;
  finish(row, mine ? Outcome::kStored : Outcome::kExists);
}

void WriterBatch::looked_up() noexcept {
  for (const std::uint32_t i : outbox_rows_) rows_[i].unread = Unread::kNothing;
  for (const std::uint32_t i : inbox_rows_) rows_[i].unread = Unread::kNothing;
}

void WriterBatch::stored() {
  for (Row& row : window()) {
    if (row.state != State::kNumbered) continue;
    row.user->inbox = row.user->next_inbox;
    row.user->outbox = row.user->next_outbox;
    finish(row, Outcome::kStored);
    stored_some_ = stored_some_ || row.tails == nullptr;
  }
}

void WriterBatch::parked() {
  for (Row& row : window()) {
    if (row.state != State::kNumbered) continue;
    row.user->next_inbox = row.user->inbox;
    row.inbox->seq = 0;
    row.work->error = to_error({.fault = DbFault::kPermanent, .code = 0, .message = {}});
    finish(row, Outcome::kParked);
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
  give_up_ = {Code::kUnavailable, kFencedOff, kRetryAfterMs};
  if (settled_ == Settled::kInDoubt) settled_ = Settled::kLookUp;
  doubt_everything(false);
}

void WriterBatch::doubt_everything(bool lost) {
  for (Row& row : window()) {
    tails_.forget(*row.user);
    if (row.state == State::kNumbered) row.state = State::kOpen;
    if (row.state == State::kOpen && row.tails == nullptr && row.unread == Unread::kNothing)
      row.unread = Unread::kYes;
  }
  if (lost) tails_.forget_all();
}

bool WriterBatch::has_memberships() const noexcept {
  return std::ranges::any_of(inbox_, [](const InboxWork* work) { return work->membership.has_value(); });
}

void WriterBatch::in_doubt(const DbError& error) {
  // Parking may be repeated.
  if (step_ == Step::kStore) {
    settled_ = Settled::kInDoubt;
    for (Row& row : window()) {
      if (row.state == State::kNumbered && row.tails == nullptr) row.unread = Unread::kPerhaps;
    }
  }
  failed(error);
}

void WriterBatch::failed(const DbError& error) {
  const bool storing = step_ == Step::kStore;
  const bool lost = error.fault == DbFault::kLost;
  doubt_everything(lost);
  if (unsettled() && !storing) {
    pause_ = true;  // it must be settled, however long that takes
    return;
  }
  const bool again = lost || error.fault == DbFault::kConflict;
  pause_ = again && ++stores_failed_ > 1;
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

// A batch that meets the same again and again is taken row by row, so that a row with which it cannot be
// stored is found.
void WriterBatch::judge(const Verdict& verdict) {
  const DbError& error = verdict.error;
  switch (error.fault) {
    case DbFault::kLost:
      if (++losses_ > kMaxLosses) split_or(verdict);
      break;
    case DbFault::kDuplicate:
      if (++duplicates_ > kMaxDuplicates) split_or(verdict);
      break;
    case DbFault::kConflict:
      if (++conflicts_ > kMaxConflicts) give_up_for(error);
      break;
    case DbFault::kPermanent:
    case DbFault::kOther:
      split_or(verdict);
      break;
    case DbFault::kDoubtful:
    case DbFault::kUnable:
      give_up_for(error);
      break;
  }
}

void WriterBatch::give_up_for(const DbError& error) {
  refusal_ = error;
  give_up_ = to_error(error);
}

void WriterBatch::split_or(const Verdict& verdict) {
  if (mode_ == Mode::kAll && rows_.size() > 1) {
    mode_ = Mode::kOneByOne;
    window_begin_ = 0;
    window_end_ = 1;
    conflicts_ = duplicates_ = losses_ = 0;
    return;
  }
  const DbError& error = verdict.error;
  Row& row = rows_[window_begin_];
  if (error.fault == DbFault::kPermanent && verdict.storing && row.inbox != nullptr) {
    mode_ = Mode::kParking;
    park_reason_ = error.text();
    return;
  }
  if (row.state != State::kOpen) return;
  refusal_ = error;
  refuse(row, to_error(error));
  const bool of_the_row = error.fault == DbFault::kPermanent || error.fault == DbFault::kDuplicate;
  if (!of_the_row && ++rows_failed_ >= kMaxRowsFailed) give_up_for(error);
}

void WriterBatch::abandon() {
  settled_ = Settled::kYes;
  refuse_open({Code::kDeadlineExceeded, "the process ends before the outcome is known"});
  window_begin_ = 0;
  window_end_ = rows_.size();
  pause_ = false;
}

void WriterBatch::finish(Row& row, StoreWork::Outcome outcome) {
  row.work->outcome = outcome;
  row.state = State::kDone;
}

void WriterBatch::refuse(Row& row, const Error& error) {
  row.work->break_chain();
  row.work->error = error;
  finish(row, Outcome::kRefused);
}

void WriterBatch::refuse_open(const Error& error) {
  for (Row& row : rows_) {
    if (row.open()) refuse(row, error);
  }
}

void WriterBatch::refuse_lost_slots() {
  if (tenure_ == taken_) return;
  for (Row& row : rows_) {
    if (row.open() && !tenure_->still_holds(row.work->slot, *taken_))
      refuse(row, {Code::kUnavailable, kNotOurs, kRetryAfterMs});
  }
}

void WriterBatch::finish_duplicates() {
  for (Row& row : rows_) {
    if (row.state != State::kDuplicate) continue;
    const Row& first = rows_[row.first];
    const bool stored = first.work->outcome == Outcome::kStored;
    const bool there = stored || first.work->outcome == Outcome::kExists;
    row.work->error = first.work->error;
    if (there && row.outbox != nullptr) {
      const OutboxWork& source = *first.outbox;
      OutboxWork& work = *row.outbox;
      work.message.id = source.message.id;
      work.seq = source.seq;
      work.message.sent_ms = source.message.sent_ms;
      work.stored_for = stored ? source.message.target() : source.stored_for;
    } else if (there) {
      row.inbox->seq = first.inbox->seq;
    }
    finish(row, there ? Outcome::kExists : first.work->outcome);
  }
}

}  // namespace hongyan::logic
