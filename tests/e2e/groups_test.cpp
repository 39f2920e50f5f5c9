// Groups whose messages stand in every member's inbox. The cluster's groups are large beyond five members.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "tests/e2e/group_client.h"

namespace hongyan::e2e {
namespace {

using Names = std::vector<std::string>;

Code code_of(const Result<client::SendReceipt>& result) { return result ? Code::kOk : result.error().code; }

TEST(GroupsTest, ThreeTalkAndSeeOneOrder) {
  auto users = online_users(3);
  TestClient& alice = *users[0];
  const std::int64_t group = make_group(alice, uids(users, 1));
  for (const auto& user : users) ASSERT_TRUE(wait_changes(*user, group, client::CTRL_TYPE_CREATE_GROUP));

  const auto receipt = alice.send_to_group(group, "hello all", {}, {users[1]->uid()});
  ASSERT_TRUE(receipt) << receipt.error().message;
  for (const auto& user : users) {
    ASSERT_TRUE(wait_texts(*user, group, 1));
    const auto message = texts(*user, group).front();
    EXPECT_EQ(message.from, alice.uid());
    EXPECT_EQ(message.content, "hello all");
    EXPECT_EQ(message.msg_id, receipt->msg_id);
    EXPECT_EQ(message.client_msg_id, receipt->client_msg_id);
    EXPECT_EQ(message.mentions, Names{users[1]->uid()});
    EXPECT_EQ(message.own, user == users[0]);
    EXPECT_FALSE(message.sent);
    EXPECT_GT(message.seq, 0);
    EXPECT_EQ(message.group_seq, texts(alice, group).front().group_seq);
  }

  // All talk at once.
  constexpr int kEach = 20;
  std::atomic<int> stored{0};
  for (const auto& user : users) {
    for (int i = 0; i < kEach; ++i) {
      user->client().send_to_group(
          {.group_id = group, .content = std::to_string(i)}, {},
          [&stored](const Result<client::SendReceipt>& done) { stored += done ? 1 : 0; });
    }
  }
  for (const auto& user : users) ASSERT_TRUE(wait_texts(*user, group, 1 + 3 * kEach));
  EXPECT_TRUE(tools::eventually([&] { return stored == 3 * kEach; }));
  const auto expected = order(alice, group);
  EXPECT_TRUE(std::ranges::is_sorted(expected));
  for (const auto& user : users) EXPECT_EQ(order(*user, group), expected);
  for (const auto& user : users) {  // and each sender's own order
    int next = 0;
    for (const auto& message : texts(alice, group)) {
      if (message.from == user->uid() && message.content != "hello all") {
        EXPECT_EQ(message.content, std::to_string(next++));
      }
    }
    EXPECT_EQ(next, kEach);
  }
}

TEST(GroupsTest, OfflineMemberCatchesUp) {
  auto users = online_users(2);
  const std::string carol = tools::unique("carol");
  const std::int64_t group = make_group(*users[0], {users[1]->uid(), carol});
  constexpr std::size_t kMessages = 250;
  for (std::size_t i = 0; i < kMessages; ++i) {
    ASSERT_TRUE(users[0]->send_to_group(group, std::to_string(i), {}, {carol}));
  }
  TestClient late(carol, from_start());
  late.start();
  ASSERT_TRUE(wait_texts(late, group, kMessages));
  ASSERT_TRUE(wait_texts(*users[0], group, kMessages));
  EXPECT_EQ(order(late, group), order(*users[0], group));
  EXPECT_EQ(texts(late, group).back().mentions, Names{carol});
  for (std::size_t i = 0; i < kMessages; ++i) EXPECT_EQ(texts(late, group)[i].content, std::to_string(i));
}

TEST(GroupsTest, SendersOtherDeviceSeesItOnceWithItsPlace) {
  auto users = online_users(2);
  client::ClientOptions page;
  page.device_type = client::DEVICE_TYPE_WEB;
  page.receive_sent = true;
  TestClient browser(users[0]->uid(), page);
  browser.start();
  ASSERT_TRUE(browser.wait_online());
  const std::int64_t group = make_group(*users[0], uids(users, 1));
  const auto receipt = users[0]->send_to_group(group, "from the desktop");
  ASSERT_TRUE(receipt);
  const std::string bob = users[1]->uid();
  ASSERT_TRUE(users[0]->send(bob, "a marker"));
  ASSERT_TRUE(wait_texts(browser, group, 1));
  ASSERT_TRUE(tools::eventually([&browser] {
    const auto messages = browser.messages();
    return std::ranges::any_of(messages, [](const auto& m) { return m.content == "a marker" && m.sent; });
  }));
  ASSERT_TRUE(browser.pull());
  const auto seen = texts(browser, group);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].msg_id, receipt->msg_id);
  EXPECT_FALSE(seen[0].own);
  ASSERT_TRUE(wait_texts(*users[0], group, 1));
  EXPECT_TRUE(texts(*users[0], group)[0].own);
  EXPECT_EQ(order(browser, group), order(*users[0], group));
}

TEST(GroupsTest, ResendsStoreNothing) {
  auto users = online_users(2);
  const std::int64_t group = make_group(*users[0], uids(users, 1), {.client_msg_id = "create"});
  const auto again =
      users[0]->group(client::create_group("a group", uids(users, 1)), {.client_msg_id = "create"});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->group.group().group_id(), group);

  const auto first = users[0]->send_to_group(group, "once", {.client_msg_id = "one"});
  const auto second = users[0]->send_to_group(group, "once", {.client_msg_id = "one"});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->msg_id, second->msg_id);
  EXPECT_EQ(code_of(users[0]->send(users[1]->uid(), "x", {.client_msg_id = "one"})), Code::kAlreadyExists);
  EXPECT_EQ(code_of(users[0]->group(client::rename_group(group, "x"), {.client_msg_id = "one"})),
            Code::kAlreadyExists);
  ASSERT_TRUE(users[0]->send_to_group(group, "after"));
  for (const auto& user : users) {
    ASSERT_TRUE(wait_texts(*user, group, 2));
    EXPECT_EQ(contents(*user, group), (Names{"once", "after"}));
  }
  ASSERT_TRUE(users[1]->pull());
  EXPECT_EQ(changes(*users[1], group, client::CTRL_TYPE_CREATE_GROUP).size(), 1U);
  // A refusal, too, is answered from what is stored.
  const auto refused = users[1]->group(client::rename_group(group, "mine"), {.client_msg_id = "refused"});
  const auto refused_again =
      users[1]->group(client::rename_group(group, "mine"), {.client_msg_id = "refused"});
  EXPECT_EQ(code_of(refused), Code::kPermissionDenied);
  EXPECT_EQ(code_of(refused_again), Code::kPermissionDenied);
}

TEST(GroupsTest, RemovedAndLeftMembersGetNoMore) {
  auto users = online_users(4);
  TestClient& alice = *users[0];
  TestClient& bob = *users[1];
  TestClient& carol = *users[2];
  const std::int64_t group = make_group(alice, uids(users, 1));
  ASSERT_TRUE(alice.send_to_group(group, "all"));
  ASSERT_TRUE(alice.group(client::remove_members(group, {bob.uid()})));
  ASSERT_TRUE(wait_changes(bob, group, client::CTRL_TYPE_REMOVE_MEMBERS));
  ASSERT_TRUE(wait_changes(carol, group, client::CTRL_TYPE_REMOVE_MEMBERS));
  ASSERT_TRUE(carol.group(client::exit_group(group)));
  ASSERT_TRUE(wait_changes(carol, group, client::CTRL_TYPE_EXIT_GROUP));
  ASSERT_TRUE(wait_changes(alice, group, client::CTRL_TYPE_EXIT_GROUP));
  EXPECT_EQ(changes(alice, group, client::CTRL_TYPE_EXIT_GROUP)[0].from, carol.uid());

  ASSERT_TRUE(alice.send_to_group(group, "two are left"));
  EXPECT_EQ(code_of(bob.send_to_group(group, "me too")), Code::kPermissionDenied);
  EXPECT_EQ(code_of(carol.send_to_group(group, "me too")), Code::kPermissionDenied);
  EXPECT_EQ(code_of(bob.group(client::get_group(group))), Code::kPermissionDenied);

  // bob comes back, and sees what is said from then on.
  ASSERT_TRUE(users[3]->group(client::add_members(group, {bob.uid()})));
  ASSERT_TRUE(wait_changes(bob, group, client::CTRL_TYPE_ADD_MEMBERS));
  ASSERT_TRUE(bob.send_to_group(group, "back"));
  ASSERT_TRUE(wait_texts(*users[3], group, 3));
  ASSERT_TRUE(wait_texts(bob, group, 2));
  ASSERT_TRUE(bob.pull());
  ASSERT_TRUE(carol.pull());
  EXPECT_EQ(contents(bob, group), (Names{"all", "back"}));
  EXPECT_EQ(contents(carol, group), (Names{"all"}));
  EXPECT_EQ(contents(*users[3], group), (Names{"all", "two are left", "back"}));
}

TEST(GroupsTest, TellsAndChangesWhatItIs) {
  auto users = online_users(3);
  TestClient& alice = *users[0];
  TestClient& bob = *users[1];
  const std::int64_t group = make_group(alice, uids(users, 1));
  ASSERT_TRUE(wait_changes(bob, group, client::CTRL_TYPE_CREATE_GROUP));

  EXPECT_EQ(code_of(bob.group(client::rename_group(group, "bob's"))), Code::kPermissionDenied);
  ASSERT_TRUE(alice.group(client::rename_group(group, "weekend \xE5\x91\xA8\xE6\x9C\xAB")));
  ASSERT_TRUE(alice.group(client::set_announcement(group, "bring tea")));
  const auto info = bob.group(client::get_group(group));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->group.group().name(), "weekend \xE5\x91\xA8\xE6\x9C\xAB");
  EXPECT_EQ(info->group.group().announcement(), "bring tea");
  EXPECT_EQ(info->group.group().owner(), alice.uid());
  EXPECT_EQ(info->group.group().create_user(), alice.uid());
  EXPECT_EQ(info->group.group().member_count(), 3);
  EXPECT_FALSE(info->group.group().large());

  const auto members = bob.group(client::list_members(group, 0, 2));
  const auto rest = bob.group(client::list_members(group, 2, 2));
  ASSERT_TRUE(members && rest);
  Names listed(members->group.members().begin(), members->group.members().end());
  EXPECT_EQ(listed.size(), 2U);
  listed.insert(listed.end(), rest->group.members().begin(), rest->group.members().end());
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(uids(users)));

  ASSERT_TRUE(alice.group(client::transfer_group(group, bob.uid())));
  ASSERT_TRUE(wait_changes(bob, group, client::CTRL_TYPE_TRANSFER_OWNER));
  EXPECT_EQ(code_of(bob.group(client::exit_group(group))), Code::kFailedPrecondition);
  EXPECT_EQ(code_of(alice.group(client::delete_group(group))), Code::kPermissionDenied);
  const auto mine = bob.group(client::list_my_groups(0, 10));
  ASSERT_TRUE(mine) << mine.error().message;
  ASSERT_EQ(mine->group.groups_size(), 1);
  EXPECT_EQ(mine->group.groups(0).group_id(), group);

  ASSERT_TRUE(bob.group(client::delete_group(group)));
  for (const auto& user : users) ASSERT_TRUE(wait_changes(*user, group, client::CTRL_TYPE_DELETE_GROUP));
  EXPECT_FALSE(alice.send_to_group(group, "anybody?"));
  EXPECT_EQ(bob.group(client::list_my_groups(0, 10))->group.groups_size(), 0);
}

TEST(GroupsTest, StrangersAndBadRequestsAreRefused) {
  auto users = online_users(2);
  TestClient stranger(tools::unique("stranger"));
  stranger.start();
  const std::int64_t group = make_group(*users[0], uids(users, 1));
  EXPECT_EQ(code_of(stranger.send_to_group(group, "let me in")), Code::kPermissionDenied);
  EXPECT_EQ(code_of(stranger.group(client::add_members(group, {stranger.uid()}))), Code::kPermissionDenied);
  EXPECT_EQ(code_of(stranger.group(client::get_group(group))), Code::kPermissionDenied);
  EXPECT_EQ(code_of(stranger.group(client::get_group(1))), Code::kPermissionDenied);
  EXPECT_EQ(code_of(stranger.send_to_group(1, "nobody")), Code::kPermissionDenied);
  EXPECT_FALSE(users[0]->group(client::create_group("", {})));
  EXPECT_FALSE(users[0]->group(client::rename_group(group, std::string(10'000, 'x'))));
  EXPECT_FALSE(users[0]->group(client::add_members(group, Names(1'001, "somebody"))));
  EXPECT_TRUE(users[0]->send_to_group(group, "still here"));
}

}  // namespace
}  // namespace hongyan::e2e
