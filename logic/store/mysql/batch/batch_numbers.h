// The ids and numbers of rows that are about to be stored.
#pragma once

#include <span>
#include <vector>

#include "common/base/msg_id.h"
#include "logic/store/box_works.h"
#include "logic/store/mysql/batch/batch_row.h"

namespace hongyan::logic {

// Reused from batch to batch, by its writer's thread. The clock outlives it.
class BatchNumbers {
 public:
  explicit BatchNumbers(MsgIdClock& clock) : clock_(clock) {}

  // Numbers what is open of these rows, whose users' tails are known: kNumbered. Refuses what may not follow a
  // refused row, what was only to be looked up, and what would get an id above the limit.
  void give(std::span<BatchRow> rows, MsgId id_limit);

  // What was numbered, sorted by primary key.
  [[nodiscard]] std::span<OutboxWork* const> outbox() const noexcept { return outbox_; }
  [[nodiscard]] std::span<InboxWork* const> inbox() const noexcept { return inbox_; }
  [[nodiscard]] bool empty() const noexcept { return outbox_.empty() && inbox_.empty(); }

 private:
  void give(BatchRow& row, MsgId id_limit);
  [[nodiscard]] Status give(InboxWork& work, UserTails& user);
  [[nodiscard]] Status give(OutboxWork& work, UserTails& user, MsgId id_limit);

  MsgIdClock& clock_;
  std::vector<OutboxWork*> outbox_;
  std::vector<InboxWork*> inbox_;
};

}  // namespace hongyan::logic
