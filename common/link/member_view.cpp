#include "common/link/member_view.h"

#include <algorithm>

namespace hongyan::link {

bool MemberView::answer(std::size_t iplist, std::vector<Member> members, bool complete, SteadyTime now) {
  answers_[iplist] = {.members = std::move(members), .complete = complete};
  return rebuild(now);
}

void MemberView::unreachable(std::size_t iplist) { answers_.erase(iplist); }

bool MemberView::rebuild(SteadyTime now) {
  bool changed = false;
  for (const auto& [index, answer] : answers_) {
    for (const auto& member : answer.members) {
      auto [it, added] = known_.try_emplace(member.node_id, Known{.member = member, .last_named = now});
      it->second.last_named = now;
      // Another boot id or address: the node was restarted.
      if (added || it->second.member != member) changed = true;
      it->second.member = member;
    }
  }
  const bool can_drop =
      std::ranges::any_of(answers_, [](const auto& entry) { return entry.second.complete; });
  if (can_drop) {
    changed |= std::erase_if(known_, [now](const auto& entry) {
                 return now - entry.second.last_named >= kDeadAfter;
               }) > 0;
  }
  return changed;
}

std::vector<Member> MemberView::members() const {
  std::vector<Member> out;
  for (const auto& [id, known] : known_) out.push_back(known.member);
  return out;
}

}  // namespace hongyan::link
