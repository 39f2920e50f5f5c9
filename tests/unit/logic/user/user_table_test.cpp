#include "logic/user/user_table.h"

#include <gtest/gtest.h>

#include <string>

namespace hongyan::logic {
namespace {

TEST(UserTableTest, AppsShareNoUsers) {
  UserTable table(10);
  User& one = table.get("a", "bob", 1);
  User& other = table.get("b", "bob", 2);
  EXPECT_NE(&one, &other);
  EXPECT_EQ(&table.get("a", "bob", 1), &one);
  EXPECT_EQ(table.find("b", "bob"), &other);
  EXPECT_EQ(table.find("c", "bob"), nullptr);
  EXPECT_EQ(table.size(), 2U);
}

TEST(UserTableTest, TheLongestUntouchedAreForgotten) {
  UserTable table(2);
  table.get("a", "first", 1);
  table.get("a", "second", 1);
  table.get("a", "third", 1);
  table.get("a", "first", 1);
  EXPECT_TRUE(table.full());
  table.trim();
  EXPECT_FALSE(table.full());
  EXPECT_NE(table.find("a", "first"), nullptr);
  EXPECT_EQ(table.find("a", "second"), nullptr);
  EXPECT_NE(table.find("a", "third"), nullptr);
}

TEST(UserTableTest, WhoSomethingIsUnderWayForStays) {
  UserTable table(1);
  User& busy = table.get("a", "busy", 1);
  busy.busy = 1;
  User& waiting = table.get("a", "waiting", 1);
  waiting.waiting_for_load.emplace_back([](const Status&) {});
  User& changed = table.get("a", "changed", 1);
  changed.changed_cursors = 1;
  User& online = table.get("a", "online", 1);
  online.sessions.push_back(std::make_unique<Session>());
  table.trim();
  EXPECT_EQ(table.size(), 4U);
  EXPECT_TRUE(table.full());
  busy.busy = 0;
  waiting.waiting_for_load.clear();
  changed.changed_cursors = 0;
  table.trim();
  EXPECT_EQ(table.size(), 1U);
  EXPECT_NE(table.find("a", "online"), nullptr);
}

}  // namespace
}  // namespace hongyan::logic
