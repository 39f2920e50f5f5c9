#include "logic/store/mysql/batch/batch_duplicates.h"

namespace hongyan::logic {

namespace {

using State = BatchRow::State;
using Outcome = StoreWork::Outcome;

void take_result(OutboxWork& work, const OutboxWork& first) {
  work.message.id = first.message.id;
  work.seq = first.seq;
  work.message.sent_ms = first.message.sent_ms;
  work.stored_for = first.outcome == Outcome::kStored ? first.message.target() : first.stored_for;
}

}  // namespace

void BatchDuplicates::find(std::span<BatchRow> rows) {
  if (rows.size() < 2) return;
  outbox_.clear();
  inbox_.clear();
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    BatchRow& row = rows[i];
    if (row.state != State::kOpen || row.tails != nullptr) continue;
    row.first = row.outbox != nullptr
                    ? first_of(outbox_, row.user, std::string_view(row.outbox->message.client_msg_id), i)
                    : first_of(inbox_, row.user, row.inbox->message.id, i);
    if (row.first != i) row.state = State::kDuplicate;
  }
}

void BatchDuplicates::finish(std::span<BatchRow> rows) {
  for (BatchRow& row : rows) {
    if (row.state != State::kDuplicate) continue;
    const BatchRow& first = rows[row.first];
    const Outcome outcome = first.work->outcome;
    const bool there = outcome == Outcome::kStored || outcome == Outcome::kExists;
    row.work->error = first.work->error;
    if (there && row.outbox != nullptr) {
      take_result(*row.outbox, *first.outbox);
    } else if (there) {
      row.inbox->seq = first.inbox->seq;
    }
    row.finish(there ? Outcome::kExists : outcome);
  }
}

}  // namespace hongyan::logic
