// How much a user's sends may store, at all who get them.
#include <string>
#include <vector>

#include "logic/message/fan_out_cost.h"
#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

TEST(FanOutCostTest, AMessageToAUserIsTwoRows) {
  Message message{.to = "bob", .client_msg_id = "id", .content = share(std::string(1000, 'x'))};
  EXPECT_EQ(cost_to_user(message), 2 * (kRowBytes + 1005));
  message.mentions = share(std::string(10, 'm'));
  EXPECT_EQ(cost_to_user(message), 2 * (kRowBytes + 1015));
}

TEST(FanOutCostTest, EachMemberOfAGroupHasARowAndOfALargeOneAPush) {
  const Message message{.content = share(std::string(1000, 'x'))};
  const FanOutCost cost = cost_to_group(message);
  EXPECT_EQ(cost.of(0, false), 2 * (kRowBytes + 1000));
  EXPECT_EQ(cost.of(100, false), 102 * (kRowBytes + 1000));
  EXPECT_EQ(cost.of(1000, true), 2 * (kRowBytes + 1000) + 1000 * 1032 / 8);
}

class FanOutLimitTest : public GroupsHarness {
 protected:
  FanOutLimitTest() { allow({.per_second = 1000, .burst = 10'000}); }
  // Forgets what was used before.
  void allow(ByteRate rate) {
    AppRules rules;
    rules.fan_out = rate;
    rules_.set("demo", rules);
    restart();
    acquire();
  }
  std::uint32_t wait_of(std::uint32_t seq) {
    return body_of<client::ErrorOnly>(seq).error().retry_after_ms();
  }
  std::uint64_t limited() { return counters_[0].limited[0].get() + counters_[1].limited[0].get(); }
  std::size_t stored_of(std::string_view uid) {
    return shard_of(uid).outbox[{"demo", std::string(uid)}].size();
  }
};

TEST_F(FanOutLimitTest, WhoStoresMoreThanTheBurstIsToldWhenToComeBack) {
  const std::string big(6000, 'x');  // 12.5 kB in two rows: more than the burst, but the first one passes
  send(1, "alice", "bob", "id-1", big);
  send(2, "alice", "bob", "id-2", "small");
  send(3, "carol", "bob", "id-3", "of somebody else");
  settle();
  EXPECT_FALSE(body_of<client::C2CSendResp>(1).has_error());
  EXPECT_EQ(error_of(2), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_FALSE(body_of<client::C2CSendResp>(3).has_error());
  EXPECT_EQ(stored_of("alice"), 1U);
  EXPECT_EQ(limited(), 1U);
  ASSERT_GT(wait_of(2), 2000U);
  pass(Milliseconds(wait_of(2) - 100));
  send(4, "alice", "bob", "id-2", "small");
  EXPECT_EQ(error_of(4), client::ERROR_CODE_RATE_LIMITED);
  pass(Milliseconds(101));
  send(5, "alice", "bob", "id-2", "small");
  settle();
  EXPECT_FALSE(body_of<client::C2CSendResp>(5).has_error());
}

TEST_F(FanOutLimitTest, WithoutALimitAllPasses) {
  allow({.per_second = 0, .burst = 1024});
  for (std::uint32_t i = 1; i <= 50; ++i) {
    send(i, "alice", "bob", "id-" + std::to_string(i), std::string(6000, 'x'));
  }
  settle();
  EXPECT_EQ(stored_of("alice"), 50U);
}

TEST_F(FanOutLimitTest, WhatWasNotStoredIsGivenBack) {
  const std::string big(6000, 'x');
  shard_of("alice").refuse = true;
  for (std::uint32_t i = 1; i <= 5; ++i) {
    send(i, "alice", "bob", "id-1", big);
    settle();
    EXPECT_EQ(error_of(i), client::ERROR_CODE_UNAVAILABLE) << i;
  }
  shard_of("alice").refuse = false;
  send(6, "alice", "bob", "id-1", big);
  settle();
  EXPECT_FALSE(body_of<client::C2CSendResp>(6).has_error());
  // A resend of what is stored costs nothing.
  pass(Milliseconds(60'000));
  for (std::uint32_t i = 7; i <= 12; ++i) {
    send(i, "alice", "bob", "id-1", big);
    settle();
    EXPECT_FALSE(body_of<client::C2CSendResp>(i).has_error()) << i;
  }
}

TEST_F(FanOutLimitTest, AResendThatIsOnItsWayCostsNothing) {
  const std::string big(6000, 'x');
  for (std::uint32_t i = 1; i <= 5; ++i) send(i, "alice", "bob", "id-1", big);
  settle();
  for (std::uint32_t i = 1; i <= 5; ++i) EXPECT_FALSE(body_of<client::C2CSendResp>(i).has_error()) << i;
}

TEST_F(FanOutLimitTest, AMessageToAGroupCostsItsMembers) {
  std::vector<std::string> many;
  for (int i = 0; i < 49; ++i) many.push_back("user" + std::to_string(i));
  const auto group = create("alice", many);
  const auto pair = create("zoe", {"bob"});
  pass(Milliseconds(3'600'000));
  // 52 rows of some 260 bytes: once.
  send_to_group(1, "alice", group, "one");
  send_to_group(2, "alice", group, "two");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(1).has_error());
  EXPECT_EQ(error_of(2), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_EQ(stored(group).rows.size(), 2U);
  // A small group's costs little.
  for (std::uint32_t i = 10; i < 15; ++i) send_to_group(i, "zoe", pair, "hello");
  settle();
  for (std::uint32_t i = 10; i < 15; ++i) EXPECT_FALSE(body_of<client::C2GSendResp>(i).has_error()) << i;
}

// As after a start: how many there are is not known, and what follows the first message must not overtake it.
TEST_F(FanOutLimitTest, MembersAreCountedWhenTheyAreNotKnown) {
  std::vector<std::string> many;
  for (int i = 0; i < 49; ++i) many.push_back("user" + std::to_string(i));
  const auto group = create("alice", many);
  allow({.per_second = 1000, .burst = 20'000});
  for (std::uint32_t i = 1; i <= 4; ++i) send_to_group(i, "user1", group, "m" + std::to_string(i));
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(1).has_error());
  EXPECT_FALSE(body_of<client::C2GSendResp>(2).has_error());
  EXPECT_EQ(error_of(3), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_EQ(error_of(4), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_EQ(inbox("user2"), (std::vector<std::string>{"#", "m1", "m2"}));
}

TEST_F(FanOutLimitTest, WhoGroupsGrowByIsPaidForAtOnce) {
  allow({.per_second = 1000, .burst = 20'000});
  const auto group = create("alice", {"bob"});
  pass(Milliseconds(3'600'000));
  std::vector<std::string> many;
  for (int i = 0; i < 10; ++i) many.push_back("user" + std::to_string(i));
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, many);
  const std::string before_they_are_there(1000, 'x');
  send_to_group(2, "alice", group, before_they_are_there);
  send_to_group(3, "alice", group, before_they_are_there);
  settle();
  EXPECT_FALSE(body_of<client::CtrlSendResp>(1).has_error());
  // Of two members both would pass.
  EXPECT_FALSE(body_of<client::C2GSendResp>(2).has_error());
  EXPECT_EQ(error_of(3), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_EQ(inbox("user9"), (std::vector<std::string>{"#", before_they_are_there}));
}

TEST_F(FanOutLimitTest, OthersWhoAddAreHeardOf) {
  const auto group = create("alice", {"bob"});
  pass(Milliseconds(3'600'000));
  send_to_group(1, "bob", group, "of two");
  std::vector<std::string> many;
  for (int i = 0; i < 40; ++i) many.push_back("user" + std::to_string(i));
  ctrl(2, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, many);
  settle();
  // 44 rows of some 260 bytes, and then there is nothing left.
  send_to_group(3, "bob", group, "of forty-two");
  send_to_group(4, "bob", group, "too much");
  settle();
  EXPECT_FALSE(body_of<client::C2GSendResp>(3).has_error());
  EXPECT_EQ(error_of(4), client::ERROR_CODE_RATE_LIMITED);
}

TEST_F(FanOutLimitTest, ACommandThatIsRefusedDoesNotCountOn) {
  allow({.per_second = 1000, .burst = 40'000});
  const auto group = create("alice", {"bob"});
  std::vector<std::string> all(60, "bob");
  ctrl(1, "alice", client::CTRL_TYPE_ADD_MEMBERS, group, all);  // a member already
  settle();
  EXPECT_EQ(error_of(1), client::ERROR_CODE_ALREADY_EXISTS);
  pass(Milliseconds(3'600'000));
  for (std::uint32_t i = 2; i < 12; ++i) send_to_group(i, "alice", group, "of two");
  settle();
  for (std::uint32_t i = 2; i < 12; ++i) EXPECT_FALSE(body_of<client::C2GSendResp>(i).has_error()) << i;
}

TEST_F(FanOutLimitTest, AGroupOfMadeUpMembersCostsEachOfThem) {
  std::vector<std::string> many;
  for (int i = 0; i < 900; ++i) many.push_back(std::string(50, 'u') + std::to_string(i));
  ctrl(1, "mallory", client::CTRL_TYPE_CREATE_GROUP, 0, many);
  ctrl(2, "mallory", client::CTRL_TYPE_CREATE_GROUP, 0, many);
  settle();
  EXPECT_GT(result_of(1).group().group_id(), 0);
  EXPECT_EQ(error_of(2), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_GT(wait_of(2), 900U * 3 * kRowBytes - 10'000);
  EXPECT_EQ(stored_of("mallory"), 1U);
}

TEST_F(FanOutLimitTest, ServicesAreNotUsers) {
  internal::S2cStore store;
  store.set_content(std::string(6000, 'x'));
  for (int i = 0; i < 10; ++i) {
    auto& target = *store.add_targets();
    target.set_uid("bob");
    target.set_client_msg_id("id-" + std::to_string(i));
  }
  request(gate_, 1, "hr", internal::COMMAND_S2C_STORE, store.SerializeAsString());
  settle();
  EXPECT_EQ(stored_of("hr"), 10U);
}

}  // namespace
}  // namespace hongyan::logic
