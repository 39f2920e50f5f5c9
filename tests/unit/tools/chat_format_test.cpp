#include "tools/chat/format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hongyan::chat {
namespace {

using nlohmann::json;

client::Message of_group() {
  return {.kind = client::COMMAND_C2G_SEND,
          .from = "bob",
          .group_id = 12,
          .content = "hello @alice",
          .msg_id = 7,
          .time_ms = 1'000,
          .seq = 3,
          .group_seq = 9,
          .client_msg_id = "c1",
          .mentions = {"alice"}};
}

client::Message ctrl(client::CtrlType type, const client::GroupOp& op) {
  return {.kind = client::COMMAND_CTRL_SEND,
          .from = "bob",
          .to = "12",
          .group_id = 12,
          .content = op.SerializeAsString(),
          .group_seq = 10,
          .msg_type = type};
}

std::string event(client::CtrlType type, const client::GroupOp& op = {}) {
  return event_text(ctrl(type, op));
}

TEST(ChatFormatTest, WritesGroupMessages) {
  auto message = of_group();
  EXPECT_EQ(message_line(message).substr(9), "bob #12: hello @alice");
  const auto parsed = json::parse(message_json(message));
  EXPECT_EQ(parsed["event"], "message");
  EXPECT_EQ(parsed["group_id"], 12);
  EXPECT_EQ(parsed["group_seq"], 9);
  EXPECT_EQ(parsed["mentions"][0]["uid"], "alice");
  EXPECT_FALSE(parsed.contains("own"));
  message.own = true;
  EXPECT_EQ(message_line(message).substr(9), "(me) #12: hello @alice");
  EXPECT_EQ(json::parse(message_json(message))["own"], true);
}

TEST(ChatFormatTest, WritesMessagesOfUsers) {
  client::Message message{.from = "bob", .to = "carol", .content = "\xff", .seq = 4};
  const auto parsed = json::parse(message_json(message));
  EXPECT_EQ(parsed["content_base64"], "/w==");
  EXPECT_FALSE(parsed.contains("group_id"));
  EXPECT_EQ(message_line(message).substr(9), "bob: \\xff");
  message.sent = true;
  EXPECT_EQ(message_line(message).substr(9), "(me) to carol: \\xff");
  EXPECT_EQ(json::parse(message_json(message))["event"], "sent_elsewhere");
}

TEST(ChatFormatTest, TellsWhatHappenedInAGroup) {
  client::GroupOp op;
  op.add_members("carol");
  op.add_members("da\nve");
  op.set_name("weekend");
  op.set_announcement("bring tea");
  op.set_owner("erin");
  EXPECT_EQ(event(client::CTRL_TYPE_CREATE_GROUP, op), "bob made the group weekend with carol, da\\nve");
  EXPECT_EQ(event(client::CTRL_TYPE_ADD_MEMBERS, op), "bob added carol, da\\nve");
  EXPECT_EQ(event(client::CTRL_TYPE_REMOVE_MEMBERS, op), "bob removed carol, da\\nve");
  EXPECT_EQ(event(client::CTRL_TYPE_INVITE_MEMBERS, op), "bob invited carol, da\\nve");
  EXPECT_EQ(event(client::CTRL_TYPE_JOIN_GROUP, op), "bob joined");
  EXPECT_EQ(event(client::CTRL_TYPE_EXIT_GROUP, op), "bob left");
  EXPECT_EQ(event(client::CTRL_TYPE_DELETE_GROUP), "bob dissolved the group");
  EXPECT_EQ(event(client::CTRL_TYPE_MODIFY_ANNOUNCEMENT, op), "bob announces: bring tea");
  EXPECT_EQ(event(client::CTRL_TYPE_MODIFY_ANNOUNCEMENT), "bob took the announcement away");
  EXPECT_EQ(event(client::CTRL_TYPE_TRANSFER_OWNER, op), "bob made erin the owner");
  EXPECT_EQ(event(client::CTRL_TYPE_RENAME, op), "bob named the group weekend");
  op.set_member_count(40);
  EXPECT_EQ(event(client::CTRL_TYPE_ADD_MEMBERS, op), "bob added carol, da\\nve and 38 more");
  auto unknown = ctrl(client::CTRL_TYPE_RENAME, op);
  unknown.msg_type = 99;
  EXPECT_EQ(event_text(unknown), "bob did something that this version does not know");
  EXPECT_EQ(message_line(ctrl(client::CTRL_TYPE_EXIT_GROUP, op)).substr(8), " #12 * bob left");
}

TEST(ChatFormatTest, WritesEventsAsJson) {
  client::GroupOp op;
  op.add_members("carol");
  const auto parsed = json::parse(message_json(ctrl(client::CTRL_TYPE_ADD_MEMBERS, op)));
  EXPECT_EQ(parsed["event"], "group");
  EXPECT_EQ(parsed["type"], "ADD_MEMBERS");
  EXPECT_EQ(parsed["from"], "bob");
  EXPECT_EQ(parsed["group_id"], 12);
  EXPECT_EQ(parsed["group_seq"], 10);
  EXPECT_EQ(parsed["members"][0]["uid"], "carol");
  EXPECT_FALSE(parsed.contains("member_count"));
  op.set_member_count(40);
  EXPECT_EQ(json::parse(message_json(ctrl(client::CTRL_TYPE_ADD_MEMBERS, op)))["member_count"], 40);
  EXPECT_FALSE(parsed.contains("content"));
}

TEST(ChatFormatTest, WritesAnswers) {
  client::GroupOpResult result;
  auto& group = *result.mutable_group();
  group.set_group_id(12);
  group.set_name("week\tend");
  group.set_owner("bob");
  group.set_member_count(1);
  EXPECT_EQ(group_lines(result), std::vector<std::string>{"#12 week\\tend: 1 member, owner bob"});
  group.set_member_count(600);
  group.set_large(true);
  group.set_announcement("bring tea");
  EXPECT_EQ(group_lines(result)[0], "#12 week\\tend: 600 members, owner bob, large. bring tea");
  const auto parsed = json::parse(group_json(client::CTRL_TYPE_GET_GROUP, result));
  EXPECT_EQ(parsed["event"], "group_answer");
  EXPECT_EQ(parsed["type"], "GET_GROUP");
  EXPECT_EQ(parsed["group"]["member_count"], 600);
  EXPECT_FALSE(parsed.contains("members"));
}

TEST(ChatFormatTest, WritesLists) {
  client::GroupOpResult members;
  members.add_members("bob");
  members.add_members("carol");
  EXPECT_EQ(group_lines(members), (std::vector<std::string>{"  bob", "  carol"}));
  EXPECT_EQ(json::parse(group_json(client::CTRL_TYPE_LIST_MEMBERS, members))["members"].size(), 2U);
  client::GroupOpResult groups;
  groups.add_groups()->set_group_id(3);
  EXPECT_EQ(group_lines(groups).size(), 1U);
  EXPECT_EQ(json::parse(group_json(client::CTRL_TYPE_LIST_MY_GROUPS, groups))["groups"][0]["group_id"], 3);
  EXPECT_EQ(json::parse(group_json(client::CTRL_TYPE_LIST_MY_GROUPS, {}))["groups"].size(), 0U);
}

}  // namespace
}  // namespace hongyan::chat
