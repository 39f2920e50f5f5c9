// How many slots of each shard each node should own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hongyan::logic {

// A node's number, as in im_node.
using NodeNumber = std::uint32_t;

struct Quota {
  NodeNumber node = 0;
  std::size_t slots = 0;
};

// The quotas of one shard: those nodes that are to own some of it, the first one first. Equal shares of all
// slots, in as few pairs of (node, shard) as may be (at most shards + nodes - 1), because each such pair is a
// writer of its own and small batches cost more. By rendezvous ranking (Thaler and Ravishankar, 1998), so
// that a node more or less moves little. Deterministic: who gives the same nodes gets the same answer.
//
// shard_sizes: slots of each shard; nodes: any order, no number twice.
[[nodiscard]] std::vector<Quota> quotas_of(std::size_t shard, std::span<const std::size_t> shard_sizes,
                                           std::span<const NodeNumber> nodes);

}  // namespace hongyan::logic
