#include "logic/ownership/quotas.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace hongyan::logic {

namespace {

std::uint64_t rank_of(NodeNumber node, std::uint64_t what) {
  const std::array<std::uint64_t, 2> key{node, what};
  return XXH3_64bits(key.data(), sizeof(key));
}

bool ranks_before(NodeNumber a, NodeNumber b, std::uint64_t what) {
  const auto left = rank_of(a, what);
  const auto right = rank_of(b, what);
  return left != right ? left > right : a < b;
}

std::vector<NodeNumber> ranked(std::span<const NodeNumber> nodes, std::uint64_t what) {
  std::vector<NodeNumber> order(nodes.begin(), nodes.end());
  std::ranges::sort(order, [what](NodeNumber a, NodeNumber b) { return ranks_before(a, b, what); });
  return order;
}

// What each node may still take.
class Room {
 public:
  Room(std::span<const NodeNumber> nodes, std::size_t slots) {
    const std::size_t share = slots / nodes.size();
    std::size_t more = slots % nodes.size();
    for (const NodeNumber node : ranked(nodes, UINT64_MAX)) {
      left_.push_back({.node = node, .slots = share + (more > 0 ? 1 : 0)});
      if (more > 0) --more;
    }
  }
  [[nodiscard]] std::size_t of(NodeNumber node) const {
    return std::ranges::find(left_, node, &Quota::node)->slots;
  }
  void take(NodeNumber node, std::size_t slots) {
    std::ranges::find(left_, node, &Quota::node)->slots -= slots;
  }

 private:
  std::vector<Quota> left_;
};

}  // namespace

std::vector<Quota> quotas_of(std::size_t shard, std::span<const std::size_t> shard_sizes,
                             std::span<const NodeNumber> nodes) {
  if (nodes.empty()) return {};
  Room room(nodes, std::accumulate(shard_sizes.begin(), shard_sizes.end(), std::size_t{0}));
  std::vector<bool> whole(shard_sizes.size(), false);
  for (std::size_t i = 0; i < shard_sizes.size(); ++i) {
    const auto order = ranked(nodes, i);
    const auto fits =
        std::ranges::find_if(order, [&](NodeNumber node) { return room.of(node) >= shard_sizes[i]; });
    if (fits == order.end()) continue;
    if (i == shard) return {{.node = *fits, .slots = shard_sizes[i]}};
    room.take(*fits, shard_sizes[i]);
    whole[i] = true;
  }
  std::vector<Quota> quotas;
  for (std::size_t i = 0; i <= shard; ++i) {
    if (whole[i]) continue;
    quotas.clear();
    std::size_t left = shard_sizes[i];
    // Who has most room first: the fewest nodes share a shard.
    std::vector<NodeNumber> order = ranked(nodes, i);
    std::ranges::sort(order, [&](NodeNumber a, NodeNumber b) {
      if (room.of(a) != room.of(b)) return room.of(a) > room.of(b);
      return ranks_before(a, b, i);
    });
    for (const NodeNumber node : order) {
      const std::size_t slots = std::min(left, room.of(node));
      if (slots == 0) break;
      room.take(node, slots);
      quotas.push_back({.node = node, .slots = slots});
      left -= slots;
    }
  }
  return quotas;
}

}  // namespace hongyan::logic
