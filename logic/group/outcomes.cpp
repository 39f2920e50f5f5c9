#include "logic/group/outcomes.h"

#include <iterator>
#include <utility>

namespace hongyan::logic {

void CommandOutcomes::answer(const DeliverWork& command, CtrlAnswer answer, MsgId placed_id) {
  const Slot slot = slot_of(command.user.app_id, command.message.from);
  if (placed_id == 0) return mailbox_.answer(slot, std::move(answer));
  waiting_[placed_id] = {.slot = slot, .answer = std::move(answer), .until = context_.now() + kPatience};
}

void CommandOutcomes::fanned_out(MsgId placed_id) {
  const auto it = waiting_.find(placed_id);
  if (it == waiting_.end()) return;
  mailbox_.answer(it->second.slot, std::move(it->second.answer));
  waiting_.erase(it);
}

void CommandOutcomes::tick() {
  const SteadyTime now = context_.now();
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto next = std::next(it);
    if (it->second.until <= now) fanned_out(it->first);
    it = next;
  }
}

}  // namespace hongyan::logic
