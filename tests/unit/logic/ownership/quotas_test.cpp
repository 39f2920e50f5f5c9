#include "logic/ownership/quotas.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

namespace hongyan::logic {
namespace {

using Shares = std::map<NodeNumber, std::size_t>;

struct Layout {
  Shares by_node;
  std::size_t pairs = 0;
};

Layout layout(const std::vector<std::size_t>& sizes, const std::vector<NodeNumber>& nodes) {
  Layout all;
  for (std::size_t shard = 0; shard < sizes.size(); ++shard) {
    std::size_t slots = 0;
    for (const Quota& quota : quotas_of(shard, sizes, nodes)) {
      EXPECT_GT(quota.slots, 0U);
      all.by_node[quota.node] += quota.slots;
      slots += quota.slots;
      ++all.pairs;
    }
    EXPECT_EQ(slots, sizes[shard]) << shard;
  }
  return all;
}

TEST(Quotas, OneNodeHasAll) { EXPECT_EQ(layout({1024, 1024, 1024, 1024}, {7}).by_node, (Shares{{7, 4096}})); }

TEST(Quotas, NoNodeNoQuota) {
  const std::vector<std::size_t> sizes{4096};
  EXPECT_TRUE(quotas_of(0, sizes, {}).empty());
}

TEST(Quotas, SharesAreEqualAndPairsFew) {
  for (const auto& sizes : {std::vector<std::size_t>{4096}, std::vector<std::size_t>{2048, 2048},
                            std::vector<std::size_t>{1024, 1024, 1024, 1024},
                            std::vector<std::size_t>{100, 3000, 996}, std::vector<std::size_t>(16, 256)}) {
    for (NodeNumber count = 1; count <= 12; ++count) {
      std::vector<NodeNumber> nodes(count);
      std::iota(nodes.begin(), nodes.end(), NodeNumber{3});
      const Layout all = layout(sizes, nodes);
      EXPECT_EQ(all.by_node.size(), count);
      for (const auto& [node, slots] : all.by_node) {
        EXPECT_GE(slots, 4096 / count);
        EXPECT_LE(slots, 4096 / count + 1);
      }
      EXPECT_LE(all.pairs, sizes.size() + count - 1) << sizes.size() << " shards, " << count << " nodes";
    }
  }
}

TEST(Quotas, WholeShardsWhenTheyDivide) {
  EXPECT_EQ(layout({1024, 1024, 1024, 1024}, {1, 2}).pairs, 4U);
  EXPECT_EQ(layout({1024, 1024, 1024, 1024}, {1, 2, 3, 4}).pairs, 4U);
}

TEST(Quotas, TheOrderOfNodesSaysNothing) {
  const std::vector<std::size_t> sizes{1000, 1000, 2096};
  const std::vector<NodeNumber> one{1, 2, 3};
  const std::vector<NodeNumber> other{3, 1, 2};
  for (std::size_t shard = 0; shard < sizes.size(); ++shard) {
    const auto left = quotas_of(shard, sizes, one);
    const auto right = quotas_of(shard, sizes, other);
    ASSERT_EQ(left.size(), right.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
      EXPECT_EQ(left[i].node, right[i].node);
      EXPECT_EQ(left[i].slots, right[i].slots);
    }
  }
}

// More nodes than slots: some have none.
TEST(Quotas, MoreNodesThanSlots) {
  std::vector<NodeNumber> nodes(10);
  std::iota(nodes.begin(), nodes.end(), NodeNumber{1});
  EXPECT_EQ(layout({3, 4}, nodes).by_node.size(), 7U);
}

}  // namespace
}  // namespace hongyan::logic
