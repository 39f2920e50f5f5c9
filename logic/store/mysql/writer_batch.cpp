#include "logic/store/mysql/writer_batch.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace hongyan::logic {

namespace {

constexpr unsigned kMaxConflicts = 5;
constexpr unsigned kMaxDuplicates = 4;
constexpr unsigned kMaxLosses = 3;
constexpr unsigned kMaxRowsFailed = 3;
constexpr std::chrono::seconds kCareful{60};
constexpr std::uint32_t kRetryAfterMs = 200;
constexpr std::uint32_t kFree = UINT32_MAX;

using Outcome = WriterWork::Outcome;

OutboxWork& as_outbox(WriterWork& work) { return static_cast<OutboxWork&>(work); }
InboxWork& as_inbox(WriterWork& work) { return static_cast<InboxWork&>(work); }

bool is_chain_broken(WriterWork& work) {
  if (work.kind() != WriterWork::Kind::kInbox) return false;
  const auto& broken = as_inbox(work).chain_broken;
  return broken && *broken;
}

bool key_less(const WriterWork& a, std::int64_t a_seq, const WriterWork& b, std::int64_t b_seq) {
  if (const int order = a.user.app_id.compare(b.user.app_id); order != 0) return order < 0;
  if (const int order = a.user.uid.compare(b.user.uid); order != 0) return order < 0;
  return a_seq < b_seq;
}

std::size_t key_hash(const WriterWork& work, const UserTails* user) {
  const std::size_t key =
      work.kind() == WriterWork::Kind::kOutbox
          ? std::hash<std::string>()(static_cast<const OutboxWork&>(work).message.client_msg_id)
          : std::hash<MsgId>()(static_cast<const InboxWork&>(work).message.id) * 0x9E3779B97F4A7C15U;
  const std::size_t mixed = key ^ (reinterpret_cast<std::uintptr_t>(user) >> 4) * 0xC2B2AE3D27D4EB4FU;
  return mixed ^ (mixed >> 29);
}

}  // namespace

void break_chain(WriterWork& work) {
  if (work.kind() != WriterWork::Kind::kInbox) return;
  if (const auto& broken = as_inbox(work).chain_broken) *broken = true;
}

void WriterBatch::begin(std::vector<WriterWorkPtr> works, SteadyTime now, bool has_connection) {
  rows_.clear();
  rows_.reserve(works.size());
  for (WriterWorkPtr& work : works) {
    Row row;
    row.user = &tails_.get(work->user);
    row.lookup = work->kind() == WriterWork::Kind::kInbox ? as_inbox(*work).lookup_first
                 : work->kind() == WriterWork::Kind::kOutbox
                     ? row.user->careful_until > now || as_outbox(*work).unless_stored.has_value()
                     : false;
    if (work->outcome == Outcome::kRefused) {
      row.state = State::kDone;
      break_chain(*work);
    }
    row.work = std::move(work);
    rows_.push_back(std::move(row));
  }
  connected_ = has_connection;
  in_doubt_ = unsettled_ = fenced_ = split_ = park_ = pause_ = false;
  give_up_.reset();
  verdict_.reset();
  refusal_.reset();
  stored_some_ = false;
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
    if (give_up_ && !unsettled_) refuse_open(*give_up_);
    if (fenced_ && !unsettled_)
      refuse_open({Code::kUnavailable, "another process owns the slots", kRetryAfterMs});
    while (!window_open()) {
      if (window_end_ == rows_.size()) {
        finish_duplicates();
        return step_ = Step::kDone;
      }
      window_begin_ = window_end_++;
      park_ = false;
      conflicts_ = duplicates_ = losses_ = 0;
    }
    if (!connected_) return step_ = Step::kConnect;
    if (in_doubt_) return step_ = Step::kBarrier;
    collect_unknown();
    if (!unknown_.empty()) return step_ = Step::kLoadTails;
    collect_asking();
    if (!asking_.empty()) return step_ = Step::kLoadCursors;
    collect_lookups();
    if (!outbox_.empty() || !inbox_.empty()) return step_ = Step::kLookup;
    unsettled_ = false;
    if (verdict_) judge(*std::exchange(verdict_, std::nullopt));
    if (fenced_ || give_up_ || !window_open()) continue;
    number(id_limit);
    if (park_ && !inbox_.empty()) return step_ = Step::kPark;
    if (!outbox_.empty() || !inbox_.empty()) return step_ = Step::kStore;
    stored();
  }
}

bool WriterBatch::window_open() {
  return std::ranges::any_of(
      window(), [](const Row& row) { return row.state == State::kOpen || row.state == State::kNumbered; });
}

bool WriterBatch::same_key(const Row& a, const Row& b) const {
  if (a.user != b.user || a.work->kind() != b.work->kind()) return false;
  if (a.work->kind() == WriterWork::Kind::kOutbox) {
    return as_outbox(*a.work).message.client_msg_id == as_outbox(*b.work).message.client_msg_id;
  }
  return as_inbox(*a.work).message.id == as_inbox(*b.work).message.id;
}

void WriterBatch::find_duplicates() {
  if (rows_.size() < 2) return;
  std::size_t size = 16;
  while (size < rows_.size() * 2) size *= 2;
  table_.assign(size, kFree);
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    if (row.state != State::kOpen || row.work->kind() == WriterWork::Kind::kTails) continue;
    std::size_t place = key_hash(*row.work, row.user) & (size - 1);
    while (table_[place] != kFree && !same_key(rows_[table_[place]], row)) place = (place + 1) & (size - 1);
    if (table_[place] == kFree) {
      table_[place] = i;
    } else {
      row.state = State::kDuplicate;
      row.first = table_[place];
    }
  }
}

void WriterBatch::collect_unknown() {
  unknown_.clear();
  ++loads_;
  for (Row& row : window()) {
    if (row.state != State::kOpen && row.state != State::kNumbered) continue;
    if (tails_.known(*row.user) || row.user->asked == loads_) continue;
    row.user->asked = loads_;
    unknown_.push_back(row.user);
  }
}

void WriterBatch::collect_asking() {
  asking_.clear();
  for (Row& row : window()) {
    if (row.state != State::kOpen || row.has_cursors || row.work->kind() != WriterWork::Kind::kTails)
      continue;
    asking_.push_back(static_cast<TailsWork*>(row.work.get()));
    asking_.back()->cursors.clear();
    asking_.back()->groups.clear();
    asking_.back()->ban = {};
  }
}

void WriterBatch::cursors_loaded() noexcept {
  for (Row& row : window()) row.has_cursors = row.has_cursors || row.work->kind() == WriterWork::Kind::kTails;
}

void WriterBatch::collect_lookups() {
  outbox_.clear();
  inbox_.clear();
  outbox_rows_.clear();
  inbox_rows_.clear();
  for (std::size_t i = window_begin_; i < window_end_; ++i) {
    Row& row = rows_[i];
    if (row.state != State::kOpen || !row.lookup) continue;
    if (row.work->kind() == WriterWork::Kind::kOutbox) {
      outbox_.push_back(&as_outbox(*row.work));
      outbox_rows_.push_back(static_cast<std::uint32_t>(i));
    } else if (row.work->kind() == WriterWork::Kind::kInbox) {
      inbox_.push_back(&as_inbox(*row.work));
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
    if (row.state != State::kOpen) continue;
    switch (row.work->kind()) {
      case WriterWork::Kind::kOutbox: {
        auto& work = as_outbox(*row.work);
        if (work.unless_stored) {
          refuse(row, *work.unless_stored);
          continue;
        }
        work.message.id = clock_.next();
        if (work.message.id > id_limit) {
          refuse(row, {Code::kUnavailable, "no message ids to give", kRetryAfterMs});
          continue;
        }
        work.seq = ++row.user->next_outbox;
        outbox_.push_back(&work);
        break;
      }
      case WriterWork::Kind::kInbox: {
        auto& work = as_inbox(*row.work);
        if (is_chain_broken(work)) {
          refuse(row, {Code::kUnavailable, "an earlier row was refused", kRetryAfterMs});
          continue;
        }
        work.seq = ++row.user->next_inbox;
        inbox_.push_back(&work);
        break;
      }
      case WriterWork::Kind::kTails: {
        auto& work = static_cast<TailsWork&>(*row.work);
        work.inbox_seq = row.user->next_inbox;
        work.outbox_seq = row.user->next_outbox;
        break;
      }
      case WriterWork::Kind::kGroup:
        refuse(row, {Code::kInternal, "not for this writer"});
        continue;
    }
    row.state = State::kNumbered;
  }
  const auto by_key = [](const auto* a, const auto* b) { return key_less(*a, a->seq, *b, b->seq); };
  std::ranges::sort(outbox_, by_key);
  std::ranges::sort(inbox_, by_key);
}

void WriterBatch::set_tails(std::size_t unknown_index, std::int64_t inbox, std::int64_t outbox) noexcept {
  tails_.set(*unknown_[unknown_index], inbox, outbox);
}

void WriterBatch::found_outbox(std::size_t lookup_index, const FoundOutbox& found, SteadyTime now) {
  Row& row = rows_[outbox_rows_[lookup_index]];
  auto& work = as_outbox(*row.work);
  const bool mine = row.doubtful && work.message.id == found.id;
  if (!mine) row.user->careful_until = now + kCareful;
  work.message.id = found.id;
  work.seq = found.seq;
  work.message.sent_ms = found.sent_ms;
  work.stored_for = found.target;
  finish(row, mine ? Outcome::kStored : Outcome::kExists);
}

void WriterBatch::found_inbox(std::size_t lookup_index, std::int64_t seq) {
  Row& row = rows_[inbox_rows_[lookup_index]];
  auto& work = as_inbox(*row.work);
  const bool mine = row.doubtful && work.seq == seq;
  work.seq = seq;
  finish(row, mine ? Outcome::kStored : Outcome::kExists);
}

void WriterBatch::looked_up() noexcept {
  for (const std::uint32_t i : outbox_rows_) rows_[i].lookup = rows_[i].doubtful = false;
  for (const std::uint32_t i : inbox_rows_) rows_[i].lookup = rows_[i].doubtful = false;
}

void WriterBatch::stored() {
  for (Row& row : window()) {
    if (row.state != State::kNumbered) continue;
    row.user->inbox = row.user->next_inbox;
    row.user->outbox = row.user->next_outbox;
    finish(row, Outcome::kStored);
    stored_some_ = stored_some_ || row.work->kind() != WriterWork::Kind::kTails;
  }
}

void WriterBatch::parked() {
  for (Row& row : window()) {
    if (row.state != State::kNumbered) continue;
    row.user->next_inbox = row.user->inbox;
    as_inbox(*row.work).seq = 0;
    row.work->error = to_error({.fault = DbFault::kPermanent, .code = 0, .message = {}});
    finish(row, Outcome::kParked);
  }
}

void WriterBatch::fenced() {
  fenced_ = true;
  in_doubt_ = false;
  doubt_everything(false);
}

void WriterBatch::doubt_everything(bool lost) {
  for (Row& row : window()) {
    tails_.forget(*row.user);
    if (row.state == State::kNumbered) row.state = State::kOpen;
    if (row.state == State::kOpen) row.lookup = row.work->kind() != WriterWork::Kind::kTails;
  }
  if (lost) tails_.forget_all();
}

bool WriterBatch::has_memberships() const noexcept {
  return std::ranges::any_of(inbox_, [](const InboxWork* work) { return work->membership.has_value(); });
}

void WriterBatch::failed(const DbError& error, DbSent sent) {
  const bool storing = step_ == Step::kStore;
  if (storing && perhaps_stored(error.fault, sent)) {
    in_doubt_ = unsettled_ = true;
    for (Row& row : window()) row.doubtful = row.state == State::kNumbered;
  }
  const bool lost = error.fault == DbFault::kLost;
  doubt_everything(lost);
  if (lost) connected_ = false;
  if (unsettled_ && !storing) {
    pause_ = true;  // it must be settled, however long that takes
  } else if (step_ == Step::kConnect) {
    give_up_for(error);
  } else {
    const bool again = lost || error.fault == DbFault::kConflict;
    pause_ = again && ++stores_failed_ > 1;
    verdict_ = {.error = error, .storing = storing};
  }
  if (verdict_ && !unsettled_) judge(*std::exchange(verdict_, std::nullopt));
  pause_ = pause_ && !(give_up_ && !unsettled_);
}

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
  if (!split_ && rows_.size() > 1) {
    split_ = true;
    window_begin_ = 0;
    window_end_ = 1;
    conflicts_ = duplicates_ = losses_ = 0;
    return;
  }
  const DbError& error = verdict.error;
  Row& row = rows_[window_begin_];
  if (error.fault == DbFault::kPermanent && verdict.storing && row.work->kind() == WriterWork::Kind::kInbox) {
    park_ = true;
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
  unsettled_ = in_doubt_ = false;
  refuse_open({Code::kDeadlineExceeded, "the process ends before the outcome is known"});
  window_begin_ = 0;
  window_end_ = rows_.size();
  pause_ = false;
}

void WriterBatch::finish(Row& row, WriterWork::Outcome outcome) {
  row.work->outcome = outcome;
  row.state = State::kDone;
}

void WriterBatch::refuse(Row& row, const Error& error) {
  break_chain(*row.work);
  row.work->error = error;
  finish(row, Outcome::kRefused);
}

void WriterBatch::refuse_open(const Error& error) {
  for (Row& row : rows_) {
    if (row.state == State::kOpen || row.state == State::kNumbered) refuse(row, error);
  }
}

void WriterBatch::finish_duplicates() {
  for (Row& row : rows_) {
    if (row.state != State::kDuplicate) continue;
    const WriterWork& first = *rows_[row.first].work;
    const bool there = first.outcome == Outcome::kStored || first.outcome == Outcome::kExists;
    row.work->error = first.error;
    if (there && first.kind() == WriterWork::Kind::kOutbox) {
      const auto& source = static_cast<const OutboxWork&>(first);
      auto& work = as_outbox(*row.work);
      const bool stored = first.outcome == Outcome::kStored;
      work.message.id = source.message.id;
      work.seq = source.seq;
      work.message.sent_ms = source.message.sent_ms;
      work.stored_for = stored ? source.message.target() : source.stored_for;
    } else if (there) {
      as_inbox(*row.work).seq = static_cast<const InboxWork&>(first).seq;
    }
    finish(row, there ? Outcome::kExists : first.outcome);
  }
}

}  // namespace hongyan::logic
