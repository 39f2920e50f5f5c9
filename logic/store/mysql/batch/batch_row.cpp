#include "logic/store/mysql/batch/batch_row.h"

#include <utility>

namespace hongyan::logic {

BatchRow::BatchRow(WriterWorkPtr made, UserTails& of, SteadyTime now)
    : work(std::move(made)),
      outbox(work.as<OutboxWork>()),
      inbox(work.as<InboxWork>()),
      tails(work.as<TailsWork>()),
      user(&of) {
  const bool look = outbox != nullptr  ? user->careful_until > now || outbox->unless_stored.has_value()
                    : inbox != nullptr ? inbox->lookup_first
                                       : true;
  if (look) unread = Unread::kYes;
}

void BatchRow::finish(StoreWork::Outcome outcome) noexcept {
  work->outcome = outcome;
  state = State::kDone;
}

void BatchRow::refuse(const Error& error) {
  work->break_chain();
  work->error = error;
  finish(StoreWork::Outcome::kRefused);
}

void BatchRow::doubt() noexcept {
  if (state == State::kNumbered) state = State::kOpen;
  if (state == State::kOpen && tails == nullptr && unread == Unread::kNothing) unread = Unread::kYes;
}

}  // namespace hongyan::logic
