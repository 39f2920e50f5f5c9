#include "logic/login/announcements.h"

#include <algorithm>
#include <utility>

namespace hongyan::logic {

void Announcements::complete(const GatePort& gate) {
  const auto heard = heard_.find(&gate);
  if (heard != heard_.end()) ++heard->second;
  release();
}

bool Announcements::knows(Slot slot) {
  SlotState* state = context_.slots.find(slot);
  if (state == nullptr || state->sessions_known) return true;
  state->sessions_known =
      context_.now() >= state->acquired_at + kPatience ||
      std::ranges::all_of(heard_, [](const auto& gate) { return gate.second >= gate.first->asked(); });
  return state->sessions_known;
}

void Announcements::wait(User& user, std::function<void()> then) {
  ++user.busy;
  waiting_.push_back({.user = &user, .then = std::move(then)});
}

void Announcements::release() {
  for (auto& one : std::exchange(waiting_, {})) {
    if (!knows(one.user->slot)) {
      waiting_.push_back(std::move(one));
      continue;
    }
    --one.user->busy;
    one.then();
  }
}

}  // namespace hongyan::logic
