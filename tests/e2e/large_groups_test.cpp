// Groups whose messages stand in the group alone: more than five members in this cluster.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "tests/e2e/group_client.h"

namespace hongyan::e2e {
namespace {

using Names = std::vector<std::string>;

// Goes on where another one of this user stood.
client::ClientOptions resuming(const TestClient& before, std::int64_t inbox) {
  client::ClientOptions options;
  options.held_inbox = inbox;
  options.held_groups = before.held_groups();
  return options;
}

std::int64_t last_inbox_seq(const TestClient& of) {
  std::int64_t last = 0;
  for (const auto& message : of.messages()) last = std::max(last, message.seq);
  return last;
}

Names numbered(int from, int to) {
  Names out;
  for (int i = from; i <= to; ++i) out.push_back(std::to_string(i));
  return out;
}

TEST(LargeGroupsTest, AllGetEachMessageOnceInOneOrder) {
  auto users = online_users(7);
  const std::int64_t group = make_group(*users[0], uids(users, 1));
  EXPECT_TRUE(users[0]->group(client::get_group(group))->group.group().large());
  for (const auto& user : users) ASSERT_TRUE(wait_changes(*user, group, client::CTRL_TYPE_CREATE_GROUP));
  constexpr int kEach = 20;
  for (const auto& user : users) {
    for (int i = 0; i < kEach; ++i) {
      user->client().send_to_group(
          {.group_id = group, .content = std::to_string(i), .mentions = {user->uid()}}, {},
          [](const Result<client::SendReceipt>& done) { EXPECT_TRUE(done); });
    }
  }
  const std::size_t all = users.size() * kEach;
  for (const auto& user : users) ASSERT_TRUE(wait_texts(*user, group, all));
  const auto expected = order(*users[0], group);
  EXPECT_EQ(expected.size(), all + 1);
  EXPECT_TRUE(std::ranges::is_sorted(expected));
  for (const auto& user : users) {
    EXPECT_EQ(order(*user, group), expected);
    for (const auto& message : texts(*user, group)) {
      EXPECT_EQ(message.seq, 0);
      EXPECT_EQ(message.own, message.from == user->uid());
      EXPECT_EQ(message.mentions, Names{message.from});
    }
  }
}

TEST(LargeGroupsTest, OfflineMemberFindsTheGroupUnasked) {
  auto users = online_users(2);
  Names members = {users[1]->uid()};
  for (int i = 0; i < 5; ++i) members.push_back(tools::unique("offline"));
  const std::int64_t group = make_group(*users[0], members);
  constexpr int kMessages = 230;
  for (int i = 1; i <= kMessages; ++i) {
    ASSERT_TRUE(users[0]->send_to_group(group, std::to_string(i)));
  }
  TestClient late(members.back(), from_start());
  late.start();
  ASSERT_TRUE(wait_texts(late, group, kMessages));
  EXPECT_EQ(contents(late, group), numbered(1, kMessages));
  ASSERT_TRUE(wait_texts(*users[0], group, kMessages));
  EXPECT_EQ(order(late, group), order(*users[0], group));
}

TEST(LargeGroupsTest, GoesOnFromItsCursorAfterAPause) {
  auto users = online_users(1);
  Names members;
  for (int i = 0; i < 6; ++i) members.push_back(tools::unique("member"));
  const std::int64_t group = make_group(*users[0], members);
  auto first = std::make_unique<TestClient>(members[0], from_start());
  first->start();
  for (int i = 1; i <= 10; ++i) ASSERT_TRUE(users[0]->send_to_group(group, std::to_string(i)));
  ASSERT_TRUE(wait_texts(*first, group, 10));
  first->stop();
  EXPECT_GT(first->held_groups()[group], 0);
  for (int i = 11; i <= 20; ++i) ASSERT_TRUE(users[0]->send_to_group(group, std::to_string(i)));

  // With what it held, and without: then the server knows what the device acknowledged.
  TestClient second(members[0], resuming(*first, last_inbox_seq(*first)));
  second.start();
  ASSERT_TRUE(wait_texts(second, group, 10));
  ASSERT_TRUE(second.pull());
  EXPECT_EQ(contents(second, group), numbered(11, 20));
  second.stop();
  for (int i = 21; i <= 25; ++i) ASSERT_TRUE(users[0]->send_to_group(group, std::to_string(i)));
  TestClient third(members[0]);
  third.start();
  ASSERT_TRUE(wait_texts(third, group, 5));
  ASSERT_TRUE(third.pull());
  EXPECT_EQ(contents(third, group), numbered(21, 25));
  // A device of another kind begins at the beginning.
  client::ClientOptions page = from_start();
  page.device_type = client::DEVICE_TYPE_WEB;
  TestClient browser(members[0], page);
  browser.start();
  ASSERT_TRUE(wait_texts(browser, group, 25));
  EXPECT_EQ(contents(browser, group), numbered(1, 25));
}

TEST(LargeGroupsTest, ChangesComeOnceToEverybody) {
  auto users = online_users(8);
  TestClient& alice = *users[0];
  TestClient& leaver = *users[6];
  TestClient& joiner = *users[7];
  auto members = uids(users, 1);
  members.pop_back();  // the joiner
  const std::int64_t group = make_group(alice, members);
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(wait_changes(*users[static_cast<std::size_t>(i)], group, client::CTRL_TYPE_CREATE_GROUP));
  }
  ASSERT_TRUE(alice.send_to_group(group, "1"));
  ASSERT_TRUE(alice.group(client::rename_group(group, "renamed")));
  ASSERT_TRUE(alice.group(client::add_members(group, {joiner.uid()})));
  ASSERT_TRUE(wait_changes(joiner, group, client::CTRL_TYPE_ADD_MEMBERS));
  ASSERT_TRUE(joiner.send_to_group(group, "2"));
  ASSERT_TRUE(wait_texts(leaver, group, 2));
  ASSERT_TRUE(leaver.group(client::exit_group(group)));
  ASSERT_TRUE(wait_changes(leaver, group, client::CTRL_TYPE_EXIT_GROUP));
  ASSERT_TRUE(alice.send_to_group(group, "3"));
  EXPECT_EQ(leaver.send_to_group(group, "me too").error().code, Code::kPermissionDenied);

  for (const auto& user : users) {
    const bool left = user == users[6];
    ASSERT_TRUE(wait_texts(*user, group, left || user == users[7] ? 2 : 3));
    ASSERT_TRUE(user->pull());
  }
  for (std::size_t i = 0; i < 6; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(contents(*users[i], group), numbered(1, 3));
    for (const auto type : {client::CTRL_TYPE_CREATE_GROUP, client::CTRL_TYPE_RENAME,
                            client::CTRL_TYPE_ADD_MEMBERS, client::CTRL_TYPE_EXIT_GROUP}) {
      EXPECT_EQ(changes(*users[i], group, type).size(), 1U) << client::CtrlType_Name(type);
    }
    EXPECT_EQ(order(*users[i], group), order(alice, group));
  }
  EXPECT_EQ(contents(joiner, group), numbered(2, 3));
  EXPECT_EQ(changes(joiner, group, client::CTRL_TYPE_ADD_MEMBERS).size(), 1U);
  EXPECT_TRUE(changes(joiner, group, client::CTRL_TYPE_RENAME).empty());
  EXPECT_EQ(contents(leaver, group), numbered(1, 2));
  EXPECT_EQ(changes(leaver, group, client::CTRL_TYPE_EXIT_GROUP).size(), 1U);

  ASSERT_TRUE(alice.group(client::delete_group(group)));
  for (std::size_t i = 0; i < users.size(); ++i) {
    if (i == 6) continue;
    ASSERT_TRUE(wait_changes(*users[i], group, client::CTRL_TYPE_DELETE_GROUP));
    ASSERT_TRUE(users[i]->pull());
    EXPECT_EQ(changes(*users[i], group, client::CTRL_TYPE_DELETE_GROUP).size(), 1U);
  }
}

TEST(LargeGroupsTest, WhoComesBackReadsWhatWasUnreadBefore) {
  auto users = online_users(7);
  TestClient& alice = *users[0];
  const auto back = tools::unique("back");
  auto members = uids(users, 1);
  members.push_back(back);
  const std::int64_t group = make_group(alice, members);
  int next = 1;
  const auto say = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(alice.send_to_group(group, std::to_string(next++)));
  };
  say(5);
  TestClient early(back, from_start());
  early.start();
  ASSERT_TRUE(wait_texts(early, group, 5));
  early.stop();
  for (int stay = 0; stay < 3; ++stay) {
    say(5);
    ASSERT_TRUE(alice.group(client::remove_members(group, {back})));
    say(5);
    ASSERT_TRUE(alice.group(client::add_members(group, {back})));
  }
  say(5);
  auto expected = numbered(6, 10);
  for (const int from : {16, 26, 36})
    std::ranges::copy(numbered(from, from + 4), std::back_inserter(expected));

  // With what it held, without it, and with nothing.
  TestClient second(back, resuming(early, last_inbox_seq(early)));
  second.start();
  ASSERT_TRUE(wait_texts(second, group, 20));
  ASSERT_TRUE(second.pull());
  EXPECT_EQ(contents(second, group), expected);
  say(1);  // what is pushed joins on
  ASSERT_TRUE(wait_texts(second, group, 21));
  EXPECT_EQ(texts(second, group).back().content, "41");
  second.stop();
  client::ClientOptions page = from_start();
  page.device_type = client::DEVICE_TYPE_WEB;
  TestClient browser(back, page);
  browser.start();
  ASSERT_TRUE(wait_texts(browser, group, 26));
  auto all = numbered(1, 5);
  std::ranges::copy(expected, std::back_inserter(all));
  all.emplace_back("41");
  EXPECT_EQ(contents(browser, group), all);
}

TEST(LargeGroupsTest, AGroupThatGrowsLosesNothing) {
  auto users = online_users(7);
  TestClient& alice = *users[0];
  const Names first(1, users[1]->uid());
  const std::int64_t group = make_group(alice, first);
  int next = 1;
  const auto say = [&](int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(alice.send_to_group(group, std::to_string(next++)));
  };
  say(5);
  EXPECT_FALSE(alice.group(client::get_group(group))->group.group().large());
  ASSERT_TRUE(alice.group(client::add_members(group, uids(users, 2))));
  say(5);
  EXPECT_TRUE(alice.group(client::get_group(group))->group.group().large());
  for (std::size_t i = 0; i < users.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_TRUE(wait_texts(*users[i], group, i < 2 ? 10 : 5));
    ASSERT_TRUE(users[i]->pull());
    EXPECT_EQ(contents(*users[i], group), i < 2 ? numbered(1, 10) : numbered(6, 10));
  }
  const auto seen = texts(*users[1], group);
  EXPECT_GT(seen[4].seq, 0);
  EXPECT_EQ(seen[5].seq, 0);
  EXPECT_EQ(order(*users[1], group), order(alice, group));
}

}  // namespace
}  // namespace hongyan::e2e
