#include "logic/store/mysql/batch/batch_numbers.h"

#include <algorithm>

namespace hongyan::logic {

namespace {

using State = BatchRow::State;

bool key_less(const StoreWork& a, std::int64_t a_seq, const StoreWork& b, std::int64_t b_seq) {
  if (const int order = a.user.app_id.compare(b.user.app_id); order != 0) return order < 0;
  if (const int order = a.user.uid.compare(b.user.uid); order != 0) return order < 0;
  return a_seq < b_seq;
}

}  // namespace

void BatchNumbers::give(std::span<BatchRow> rows, MsgId id_limit) {
  outbox_.clear();
  inbox_.clear();
  for (const BatchRow& row : rows) {
    row.user->next_inbox = row.user->inbox;
    row.user->next_outbox = row.user->outbox;
  }
  for (BatchRow& row : rows) {
    if (row.state == State::kOpen) give(row, id_limit);
  }
  const auto by_key = [](const auto* a, const auto* b) { return key_less(*a, a->seq, *b, b->seq); };
  std::ranges::sort(outbox_, by_key);
  std::ranges::sort(inbox_, by_key);
}

void BatchNumbers::give(BatchRow& row, MsgId id_limit) {
  Status given;
  if (row.tails != nullptr) {
    row.tails->inbox_seq = row.user->next_inbox;
    row.tails->outbox_seq = row.user->next_outbox;
  } else if (row.inbox != nullptr) {
    given = give(*row.inbox, *row.user);
  } else {
    given = give(*row.outbox, *row.user, id_limit);
  }
  if (!given) return row.refuse(given.error());
  row.state = State::kNumbered;
}

Status BatchNumbers::give(InboxWork& work, UserTails& user) {
  if (work.chain_broken && *work.chain_broken) {
    return fail(Code::kUnavailable, "an earlier row was refused", kRetrySoonMs);
  }
  work.seq = ++user.next_inbox;
  inbox_.push_back(&work);
  return {};
}

Status BatchNumbers::give(OutboxWork& work, UserTails& user, MsgId id_limit) {
  if (work.unless_stored) return std::unexpected(*work.unless_stored);
  work.message.id = clock_.next();
  if (work.message.id > id_limit) return fail(Code::kUnavailable, "no message ids to give", kRetrySoonMs);
  work.seq = ++user.next_outbox;
  outbox_.push_back(&work);
  return {};
}

}  // namespace hongyan::logic
