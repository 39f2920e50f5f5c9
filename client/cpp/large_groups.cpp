#include "client/cpp/large_groups.h"

#include <algorithm>
#include <ranges>

#include "common/log/log.h"

namespace hongyan::client {

namespace {
constexpr std::size_t kMostHoles = 1'000;  // of more groups pushed at once one hole is as good as all
}

std::int64_t LargeGroups::held(std::int64_t group_id) const {
  const auto group = held_.find(group_id);
  return group == held_.end() ? 0 : group->second;
}

LargeGroups::Verdict LargeGroups::on_push(std::int64_t group_id, std::int64_t seq) {
  const auto group = held_.find(group_id);
  if (group != held_.end() && seq <= group->second) return Verdict::kKnown;
  if (group != held_.end() && seq - 1 == group->second) {
    take(group_id, seq);
    return Verdict::kNext;
  }
  if (seen_.contains(group_id) || seen_.size() < kMostHoles) {
    seen_[group_id] = std::max(seen_[group_id], seq);
  }
  return Verdict::kHole;
}

bool LargeGroups::on_row(std::int64_t group_id, std::int64_t seq) {
  if (group_id <= 0 || seq <= held(group_id)) return false;  // nothing held counts as 0
  take(group_id, seq);
  return true;
}

void LargeGroups::take(std::int64_t group_id, std::int64_t seq) {
  held_[group_id] = seq;
  moved_ = true;
  const auto seen = seen_.find(group_id);
  if (seen != seen_.end() && seen->second <= seq) seen_.erase(seen);
}

bool LargeGroups::on_head(std::int64_t group_id, std::int64_t head) {
  const auto asked = asked_.find(group_id);
  if (asked == asked_.end() || head <= 0 || head >= asked->second || head >= held(group_id)) return false;
  log::warn("client", "held seq of a group is beyond the server's group={} held={} head={}", group_id,
            held(group_id), head);
  held_[group_id] = head;
  seen_.erase(group_id);
  return true;
}

void LargeGroups::list(PullReq& request) {
  asked_.clear();
  // The newest groups first: ids grow.
  for (const auto& [group_id, seq] : held_ | std::views::reverse | std::views::take(kMostListed)) {
    auto* offset = request.add_groups();
    offset->set_group_id(group_id);
    offset->set_offset(seq);
    asked_.emplace(group_id, seq);
  }
  moved_ = false;
}

}  // namespace hongyan::client
