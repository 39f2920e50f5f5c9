#include "logic/login/announcements.h"

#include <algorithm>
#include <utility>

namespace hongyan::logic {

void Announcements::complete(const GatePort& gate, std::uint64_t version) {
  const auto heard = heard_.find(&gate);
  if (heard != heard_.end()) heard->second = std::max(heard->second, version);
  release();
}

bool Announcements::knows(Slot slot) {
  SlotState* state = context_.slots.find(slot);
  if (state == nullptr || state->sessions_known) return true;
  state->sessions_known =
      context_.now() >= state->acquired_at + kPatience ||
      std::ranges::all_of(heard_, [&](const auto& gate) { return gate.second >= state->version; });
  return state->sessions_known;
}

void Announcements::wait(Slot slot, std::function<void()> then) {
  const SlotState* state = context_.slots.find(slot);
  waiting_.push_back(
      {.slot = slot, .slot_epoch = state == nullptr ? 0 : state->epoch, .then = std::move(then)});
}

void Announcements::release() {
  for (auto& one : std::exchange(waiting_, {})) {
    if (context_.slots.holds(one.slot, one.slot_epoch) && !knows(one.slot)) {
      waiting_.push_back(std::move(one));
    } else {
      one.then();
    }
  }
}

}  // namespace hongyan::logic
