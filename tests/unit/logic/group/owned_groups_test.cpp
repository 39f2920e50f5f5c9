// Groups that their owner holds: which, and how many.
#include "logic/group/owned_groups.h"

#include <string>
#include <vector>

#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

class OwnedGroupsTest : public GroupsHarness {};

TEST_F(OwnedGroupsTest, WhatStrangersNameTakesNoMemory) {
  const auto group = create("alice", {"bob"});
  for (std::uint32_t seq = 1; seq <= 50; ++seq) send_to_group(seq, "mallory", group + seq, "hello?");
  settle();
  EXPECT_EQ(error_of(50), client::ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(held(), 1);

  for (auto& shard : shards_) shard.refuse = true;
  for (std::uint32_t seq = 51; seq <= 100; ++seq) send_to_group(seq, "mallory", group + seq, "hello?");
  settle();
  EXPECT_EQ(error_of(100), client::ERROR_CODE_UNAVAILABLE);
  for (auto& shard : shards_) shard.refuse = false;
  pass(Milliseconds(600));
  EXPECT_EQ(held(), 1);
  send_to_group(101, "alice", group, "hi");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(101).has_error());
}

// A message on its way to its group must not be what its group waits for.
TEST_F(OwnedGroupsTest, WhatWaitsForItsPlaceIsNotInItsOwnWay) {
  std::int64_t group = 0;
  do {
    group = create("alice", {"bob"});
  } while (slot_of_group("demo", group) % kThreads != slot_of("demo", "alice") % kThreads);
  config_.max_unfinished_bytes = 2000;
  send_to_group(1, "alice", group, std::string(5000, 'x'));
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(1).has_error());
  EXPECT_EQ(inbox("bob").back().size(), 5000U);
}

// Members share a content: it counts once, and for as long as one row is not there.
TEST_F(OwnedGroupsTest, ContentsOnTheirWayToMembersCount) {
  const auto [group, sender, far] = apart();
  std::vector<std::string> members = {far};
  for (int i = 0; members.size() < 3; ++i) {
    const std::string uid = "away" + std::to_string(i);
    if (&shard_of(uid) == &shard_of(far)) members.push_back(uid);
  }
  ctrl(1, sender, client::CTRL_TYPE_ADD_MEMBERS, group, members);
  settle();
  config_.max_unfinished_bytes = 20'000;
  MemoryShard& away = shard_of(far);
  away.refuse = true;
  for (std::uint32_t seq = 2; seq < 12; ++seq) {
    send_to_group(seq, sender, group, std::string(5000, 'x'));
    settle();
  }
  const std::size_t placed = stored(group).rows.size();
  // Not all: the rest waits for the shard with its sender.
  EXPECT_LE(placed, 2 + 4U);
  EXPECT_GE(placed, 2 + 3U);
  away.refuse = false;
  for (int i = 0; i < 100; ++i) pass(Milliseconds(100));
  EXPECT_EQ(inbox(far).size(), inbox(sender).size() - 1);
  EXPECT_GT(stored(group).rows.size(), placed);
}

TEST_F(OwnedGroupsTest, TheLongestIdleAreForgottenAndReadAgain) {
  group_config_.members_in_memory = 10 * (OwnedGroups::kGroupWeight + 2);
  std::vector<std::int64_t> groups;
  for (int i = 0; i < 30; ++i) {
    groups.push_back(create("alice", {"bob"}));
    pass(Milliseconds(100));
  }
  EXPECT_LE(held(), 20);
  EXPECT_GE(held(), 9);
  send_to_group(1, "bob", groups.front(), "still there");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(1).has_error());
  EXPECT_EQ(inbox("alice").back(), "still there");
}

}  // namespace
}  // namespace hongyan::logic
