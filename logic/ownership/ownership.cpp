#include "logic/ownership/ownership.h"

#include <algorithm>
#include <set>
#include <utility>

namespace hongyan::logic {

void Ownership::observe(const ShardSeen& seen, SteadyTime now) {
  if (!looked_) first_look_ = last_look_ = now;
  looked_ = true;
  const auto gap = std::min(std::chrono::duration_cast<Milliseconds>(now - last_look_), options_.longest_gap);
  last_look_ = now;
  std::set<NodeNumber> present;
  for (const NodeSeen& node : seen.nodes) {
    present.insert(node.node);
    const auto [it, is_new] = nodes_.try_emplace(node.node);
    if (is_new) {
      it->second = {.last = node, .good_since = now, .wait = options_.join_after};
    } else {
      it->second.observe(node, gap, now, options_, dead(node.node, now));
    }
  }
  std::erase_if(nodes_, [&](const auto& node) { return !present.contains(node.first); });
}

void Ownership::Observed::observe(const NodeSeen& node, Milliseconds gap, SteadyTime now,
                                  const Options& options, bool was_dead) {
  const bool another_life = last.boot != node.boot;
  const bool changed = another_life || last.beat != node.beat;
  if (another_life || was_dead || last.epoch != node.epoch) {  // or somebody took it for dead
    good_since = now;
    this->was_dead = !another_life;
    wait = another_life ? options.join_after : options.rejoin_after;
    beaten = false;
  } else if (changed) {
    beaten = true;
  }
  silence = changed ? Milliseconds(0) : silence + gap;
  reads = changed ? 0 : reads + 1;
  last = node;
}

bool Ownership::dead(NodeNumber node, SteadyTime now) const {
  if (node == options_.self) return false;
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return looked_ && now - first_look_ >= options_.dead_after;
  return it->second.silence >= options_.dead_after && it->second.reads >= options_.dead_reads;
}

bool Ownership::alive(NodeNumber node, SteadyTime now) const {
  if (node == options_.self) return true;
  const auto it = nodes_.find(node);
  return it != nodes_.end() && !dead(node, now) && it->second.beaten;
}

std::vector<NodeNumber> Ownership::members(bool leaving, bool any_free, SteadyTime now) const {
  std::vector<NodeNumber> nodes;
  for (const auto& [number, known] : nodes_) {
    if (!known.last.ready || !alive(number, now)) continue;
    if (number == options_.self) {
      if (!leaving) nodes.push_back(number);
    } else if (now - known.good_since >= known.wait || (any_free && !known.was_dead)) {
      nodes.push_back(number);
    }
  }
  return nodes;
}

void Ownership::note_free(const ShardSeen& seen, SteadyTime now) {
  for (const LeaseSeen& lease : seen.leases) {
    SteadyTime& since = free_since_[lease.slot];
    if (lease.owner != 0) {
      since = {};
    } else if (since == SteadyTime{}) {
      since = now;
    }
  }
}

bool Ownership::is_left_over(Slot slot, std::size_t rank, Leader leader, SteadyTime now) const {
  // Those that share had no time yet to see each other.
  const SteadyTime first = leader == Leader::kNone ? first_look_ + options_.dead_after : first_look_;
  return now - std::max(free_since_[slot], first) >=
         options_.free_for + static_cast<std::int64_t>(rank) * options_.free_for_each;
}

std::vector<Quota> Ownership::wanted(const ShardSeen& seen, const Counts& owned, Leader leader, bool leaving,
                                     SteadyTime now) const {
  const bool any_free =
      leader == Leader::kNone && std::ranges::find(seen.leases, 0U, &LeaseSeen::owner) != seen.leases.end();
  const std::vector<NodeNumber> nodes = members(leaving, any_free, now);
  const auto all_of = [&](NodeNumber node) {
    return std::vector<Quota>{{.node = node, .slots = seen.leases.size()}};
  };
  switch (leader) {
    case Leader::kNone:
      return quotas_of(options_.shard, options_.shard_sizes, nodes);
    case Leader::kOther:
    case Leader::kUnknown:
      return {};
    case Leader::kSelf:
      return leaving ? std::vector<Quota>{} : all_of(options_.self);
    case Leader::kChoose:
      break;
  }
  Quota most;
  for (const auto& [node, slots] : owned) {
    const bool stays = alive(node, now) && nodes_.contains(node) && nodes_.at(node).last.ready;
    if (slots > most.slots && stays && !(node == options_.self && leaving)) {
      most = {.node = node, .slots = slots};
    }
  }
  if (most.slots > 0) return all_of(most.node);
  return nodes.empty() ? std::vector<Quota>{} : all_of(nodes.front());
}

OwnershipPlan Ownership::look(const ShardSeen& seen, Leader leader, bool leaving, SteadyTime now) {
  observe(seen, now);
  note_free(seen, now);
  OwnershipPlan plan;

  Counts owned;
  for (const LeaseSeen& lease : seen.leases) {
    if (lease.owner != 0) ++owned[lease.owner];
  }
  for (const auto& [node, slots] : owned) {
    if (!dead(node, now)) continue;
    const auto known = nodes_.find(node);
    plan.evict.push_back({.node = node, .epoch = known == nodes_.end() ? 0 : known->second.last.epoch});
  }

  const std::vector<Quota> quotas = wanted(seen, owned, leader, leaving, now);
  plan.settled = plan.evict.empty();
  if (leader == Leader::kOther) {
    for (const LeaseSeen& lease : seen.leases) {
      if (lease.owner == options_.self) plan.release.push_back(lease.slot);
    }
    plan.settled = plan.settled && plan.release.empty();
    return plan;
  }
  if (quotas.empty() && !leaving) return plan;  // not for this node to say whose they are
  Counts lacks;                                 // of its quota
  for (const Quota& quota : quotas) lacks[quota.node] = quota.slots;

  // Who lives and is within its quota keeps what it has.
  std::vector<LeaseSeen> displaced;
  for (const LeaseSeen& lease : seen.leases) {
    const auto quota = lacks.find(lease.owner);
    if (lease.owner != 0 && quota != lacks.end() && quota->second > 0) {
      --quota->second;
    } else {
      displaced.push_back(lease);
    }
  }
  // A view may be new: others may be alive that were not seen to beat yet.
  const bool alone = !options_.expects_others && nodes_.size() == 1 && nodes_.contains(options_.self);
  const bool sure = alone || now - first_look_ >= options_.dead_after;
  const auto ours = std::ranges::find(quotas, options_.self, &Quota::node);
  const auto rank = static_cast<std::size_t>(ours - quotas.begin());
  const bool others_have_it = leader == Leader::kChoose && !quotas.empty() && owned.contains(quotas[0].node);
  const bool may_help = !leaving && !others_have_it;
  const bool can_release = now >= next_release_;
  const std::size_t most_released = leader == Leader::kNone ? options_.release_batch : kSlotCount;
  auto next = quotas.begin();
  for (const LeaseSeen& lease : displaced) {
    while (next != quotas.end() && lacks[next->node] == 0) ++next;
    const NodeNumber target = next == quotas.end() ? 0 : next->node;
    if (target != 0) --lacks[target];
    if (lease.owner == target) continue;
    plan.settled = false;
    if (lease.owner == options_.self) {
      // Given up to somebody who is to have it, or to anybody when we leave.
      if (target == 0 && !leaving) continue;
      if (can_release && plan.release.size() < most_released) plan.release.push_back(lease.slot);
    } else if (lease.owner == 0 && sure) {
      const bool take = target == options_.self || (may_help && is_left_over(lease.slot, rank, leader, now));
      if (take) plan.claim.push_back(lease.slot);
    }
  }
  if (!plan.release.empty()) next_release_ = now + options_.release_every;
  return plan;
}

}  // namespace hongyan::logic
