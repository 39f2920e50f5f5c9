#include "logic/store/mysql/batch/batch_reads.h"

namespace hongyan::logic {

namespace {

constexpr std::chrono::seconds kCareful{60};
using State = BatchRow::State;
using Unread = BatchRow::Unread;
using Outcome = StoreWork::Outcome;

bool is_unread(const BatchRow& row) { return row.state == State::kOpen && row.unread != Unread::kNothing; }

}  // namespace

bool BatchReads::need_tails(std::span<BatchRow> rows) {
  unknown_.clear();
  unknown_keys_.clear();
  ++loads_;
  for (const BatchRow& row : rows) {
    if (!row.open() || tails_.known(*row.user) || row.user->asked == loads_) continue;
    row.user->asked = loads_;
    unknown_.push_back(row.user);
    unknown_keys_.push_back(row.user->key);
  }
  return !unknown_.empty();
}

void BatchReads::set_tails(std::size_t unknown_index, std::int64_t inbox, std::int64_t outbox) noexcept {
  tails_.set(*unknown_[unknown_index], inbox, outbox);
}

bool BatchReads::need_cursors(std::span<BatchRow> rows) {
  asking_.clear();
  asking_works_.clear();
  for (BatchRow& row : rows) {
    if (row.tails == nullptr || !is_unread(row)) continue;
    asking_.push_back(&row);
    asking_works_.push_back(row.tails);
    row.tails->cursors.clear();
    row.tails->groups.clear();
    row.tails->ban = {};
  }
  return !asking_.empty();
}

void BatchReads::cursors_loaded() noexcept {
  for (BatchRow* row : asking_) row->unread = Unread::kNothing;
}

bool BatchReads::need_lookup(std::span<BatchRow> rows) {
  outbox_.clear();
  outbox_works_.clear();
  inbox_.clear();
  inbox_works_.clear();
  for (BatchRow& row : rows) {
    if (!is_unread(row)) continue;
    if (row.outbox != nullptr) {
      outbox_.push_back(&row);
      outbox_works_.push_back(row.outbox);
    } else if (row.inbox != nullptr) {
      inbox_.push_back(&row);
      inbox_works_.push_back(row.inbox);
    }
  }
  return !outbox_.empty() || !inbox_.empty();
}

void BatchReads::found_outbox(std::size_t lookup_index, const StoredMessage& found, SteadyTime now) {
  BatchRow& row = *outbox_[lookup_index];
  OutboxWork& work = *row.outbox;
  const bool mine = row.unread == Unread::kPerhaps && work.message.id == found.message.id;
  if (!mine) row.user->careful_until = now + kCareful;
  work.message.id = found.message.id;
  work.seq = found.seq;
  work.message.sent_ms = found.message.sent_ms;
  work.stored_for = found.message.target();
  row.finish(mine ? Outcome::kStored : Outcome::kExists);
}

void BatchReads::found_inbox(std::size_t lookup_index, std::int64_t seq) noexcept {
  BatchRow& row = *inbox_[lookup_index];
  const bool mine = row.unread == Unread::kPerhaps && row.inbox->seq == seq;
  row.inbox->seq = seq;
  row.finish(mine ? Outcome::kStored : Outcome::kExists);
}

void BatchReads::looked_up() noexcept {
  for (BatchRow* row : outbox_) row->unread = Unread::kNothing;
  for (BatchRow* row : inbox_) row->unread = Unread::kNothing;
}

}  // namespace hongyan::logic
