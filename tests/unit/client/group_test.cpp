#include "client/cpp/group.h"

#include "tests/unit/client/core_fixture.h"

namespace hongyan::client {
namespace {

class GroupTest : public CoreFixture {
 protected:
  using CoreFixture::CoreFixture;

  SendId send_to_group(const std::string& id, std::vector<std::string> mentions = {}) {
    core.send(++last_send,
              ToGroup{.group_id = kGroup, .content = "hello all", .mentions = std::move(mentions)},
              {.client_msg_id = id, .msg_type = 3}, now);
    settle();
    return last_send;
  }
  SendId operate(GroupRequest request, const std::string& id) {
    core.send(++last_send, std::move(request), {.client_msg_id = id}, now);
    settle();
    return last_send;
  }
  Code last_code() const {
    if (done_sends.empty() || done_sends.back().second) return Code::kOk;
    return done_sends.back().second.error().code;
  }
  void sent_push(std::int64_t seq, Command kind) {
    PullMsg row;
    row.set_seq(seq);
    row.set_cmd_id(kind);
    row.set_group_id(kGroup);
    row.set_client_msg_id("elsewhere-" + std::to_string(seq));
    answer(COMMAND_SENT_PUSH, 0, row);
  }
};

class GroupOutboxTest : public GroupTest {
 protected:
  GroupOutboxTest() : GroupTest(with_sent()) {}
};

TEST_F(GroupTest, SendsWithMentions) {
  log_in();
  send_to_group("g1", {"bob", "carol"});
  const auto request = one(COMMAND_C2G_SEND);
  const auto body = request.as<C2GSendReq>();
  EXPECT_EQ(body.from(), "alice");
  EXPECT_EQ(body.group_id(), kGroup);
  EXPECT_EQ(body.content(), "hello all");
  EXPECT_EQ(body.client_msg_id(), "g1");
  EXPECT_EQ(body.msg_type(), 3);
  ASSERT_EQ(body.mentions_size(), 2);
  EXPECT_EQ(body.mentions(1), "carol");
  accept(request, 2001, 4);
  ASSERT_EQ(done_sends.size(), 1U);
  EXPECT_EQ(done_sends[0].second->msg_id, 2001);
  EXPECT_EQ(done_sends[0].second->outbox_seq, 4);
}

TEST_F(GroupTest, ResendsWithTheSameIdUntilItIsAnswered) {
  log_in();
  send_to_group("g1");
  refuse(one(COMMAND_C2G_SEND), ERROR_CODE_UNAVAILABLE);
  advance_to_wake();
  EXPECT_EQ(one(COMMAND_C2G_SEND).as<C2GSendReq>().client_msg_id(), "g1");
  cut();
  advance_to_wake();
  authenticate();
  const auto again = one(COMMAND_C2G_SEND);
  EXPECT_EQ(again.as<C2GSendReq>().client_msg_id(), "g1");
  accept(again, 2001);
  EXPECT_EQ(done_sends[0].second->attempts, 3);
}

TEST_F(GroupTest, OperatesOnAGroupAndReadsTheAnswer) {
  log_in();
  operate(create_group("weekend", {"bob", "carol"}), "c1");
  const auto request = one(COMMAND_CTRL_SEND);
  const auto body = request.as<CtrlSendReq>();
  EXPECT_EQ(body.from(), "alice");
  EXPECT_EQ(body.type(), CTRL_TYPE_CREATE_GROUP);
  EXPECT_EQ(body.to(), "");
  EXPECT_EQ(body.client_msg_id(), "c1");
  GroupOp op;
  ASSERT_TRUE(op.ParseFromString(body.content()));
  EXPECT_EQ(op.name(), "weekend");
  EXPECT_EQ(op.members_size(), 2);
  GroupOpResult result;
  result.mutable_group()->set_group_id(77);
  result.mutable_group()->set_name("weekend");
  CtrlSendResp response;
  response.set_msg_id(900);
  response.set_timestamp(5);
  response.set_content(result.SerializeAsString());
  answer(COMMAND_CTRL_SEND, request.seq, response);
  ASSERT_EQ(done_sends.size(), 1U);
  ASSERT_TRUE(done_sends[0].second);
  EXPECT_EQ(done_sends[0].second->msg_id, 900);
  EXPECT_EQ(done_sends[0].second->time_ms, 5);
  EXPECT_EQ(done_sends[0].second->group.group().group_id(), 77);
}

TEST_F(GroupTest, ResendsAnOperationAndTellsARefusal) {
  log_in();
  operate(add_members(kGroup, {"dave"}), "c1");
  refuse(one(COMMAND_CTRL_SEND), ERROR_CODE_DEADLINE_EXCEEDED);
  advance_to_wake();
  const auto again = one(COMMAND_CTRL_SEND);
  EXPECT_EQ(again.as<CtrlSendReq>().client_msg_id(), "c1");
  EXPECT_EQ(again.as<CtrlSendReq>().to(), "5");
  refuse(again, ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(last_code(), Code::kDeadlineExceeded);  // the first attempt may have been done
  operate(exit_group(kGroup), "c2");
  refuse(one(COMMAND_CTRL_SEND), ERROR_CODE_NOT_FOUND);
  EXPECT_EQ(last_code(), Code::kNotFound);
}

TEST_F(GroupTest, CommandsThatAreRefusedHoldNothing) {
  log_in();
  operate(add_members(1, {"dave"}), "c1");
  operate(add_members(2, {"dave"}), "c2");
  for (const auto& request : taken(COMMAND_CTRL_SEND)) refuse(request, ERROR_CODE_UNAVAILABLE, 200);
  operate(add_members(3, {"dave"}), "c3");
  send_to_group("g1");
  EXPECT_EQ(taken(COMMAND_CTRL_SEND).size(), 1U);
  EXPECT_EQ(taken(COMMAND_C2G_SEND).size(), 1U);
}

TEST_F(GroupTest, KeepsOrderAmongAllThatGoesToAGroup) {
  log_in();
  operate(add_members(kGroup, {"dave"}), "c1");
  send_to_group("g1");
  operate(rename_group(kGroup + 1, "other"), "c2");
  const auto first = taken(COMMAND_CTRL_SEND);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_TRUE(taken(COMMAND_C2G_SEND).empty());
  answer(COMMAND_CTRL_SEND, first[0].seq, CtrlSendResp());
  EXPECT_EQ(taken(COMMAND_C2G_SEND).size(), 1U);
}

TEST_F(GroupTest, RefusesBadInputAtOnce) {
  log_in();
  const auto refused = [&](Outgoing what) {
    core.send(++last_send, std::move(what), {.client_msg_id = "x"}, now);
    settle();
    return last_code() == Code::kBadRequest && done_sends.back().first == last_send;
  };
  EXPECT_TRUE(refused(ToGroup{.group_id = 0}));
  EXPECT_TRUE(refused(ToGroup{.group_id = -4}));
  EXPECT_TRUE(refused(ToGroup{.group_id = 4, .mentions = {"bob", ""}}));
  EXPECT_TRUE(refused(ToGroup{.group_id = 4, .mentions = {std::string(129, 'x')}}));
  EXPECT_TRUE(refused(create_group("\xff", {})));
  EXPECT_TRUE(refused(create_group("a", {std::string("b\0", 2)})));
  EXPECT_TRUE(refused(add_members(0, {"bob"})));
  EXPECT_TRUE(refused(transfer_group(4, std::string(129, 'x'))));
  GroupRequest create = create_group("a", {});
  create.group_id = 4;
  EXPECT_TRUE(refused(create));
  EXPECT_TRUE(sent.empty());
}

TEST_F(GroupTest, ReconnectsWhenAnAnswerDoesNotParse) {
  log_in();
  operate(get_group(kGroup), "c1");
  CtrlSendResp response;
  response.set_content("\xff\xff");
  answer(COMMAND_CTRL_SEND, one(COMMAND_CTRL_SEND).seq, response);
  EXPECT_EQ(core.state(), State::kWaiting);
  EXPECT_TRUE(done_sends.empty());
}

TEST(GroupRequestTest, CarriesWhatItIsFor) {
  EXPECT_EQ(remove_members(3, {"a"}).op.members(0), "a");
  EXPECT_EQ(delete_group(3).type, CTRL_TYPE_DELETE_GROUP);
  EXPECT_EQ(set_announcement(3, "read this").op.announcement(), "read this");
  EXPECT_EQ(transfer_group(3, "bob").op.owner(), "bob");
  EXPECT_EQ(list_members(3, 1000, 500).op.offset(), 1000);
  EXPECT_EQ(list_members(3, 1000, 500).op.limit(), 500);
  EXPECT_EQ(list_my_groups(0, 10).group_id, 0);
}

TEST_F(GroupTest, ReceivesPushesByTheGapRuleOfTheInbox) {
  log_in(4);
  group_push(5, 9);
  group_push(7, 11);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].kind, COMMAND_C2G_SEND);
  EXPECT_EQ(messages[0].group_id, kGroup);
  EXPECT_EQ(messages[0].group_seq, 9);
  EXPECT_EQ(messages[0].mentions, std::vector<std::string>{"alice"});
  EXPECT_FALSE(messages[0].own);
  const auto ack = one(COMMAND_C2G_PUSH).as<PushAck>();
  EXPECT_EQ(ack.seq(), 5);
  EXPECT_EQ(ack.group_seq(), 0);
  PullResp response = page(6, 7, 7);
  for (auto& row : *response.mutable_msg()) {
    row.set_cmd_id(COMMAND_C2G_SEND);
    row.set_group_id(kGroup);
    row.set_group_seq(row.seq() + 4);
    row.add_mentions("bob");
  }
  answer_pull(response);
  EXPECT_EQ(seqs(), (std::vector<std::int64_t>{5, 6, 7}));
  EXPECT_EQ(group_seqs(), (std::vector<std::int64_t>{9, 10, 11}));
  EXPECT_EQ(messages[2].mentions, std::vector<std::string>{"bob"});
  EXPECT_TRUE(core.held_groups().empty());
}

TEST_F(GroupTest, ReceivesCtrlMessagesPushedAndPulled) {
  log_in(4);
  CtrlPush push;
  push.set_from("bob");
  push.set_type(CTRL_TYPE_ADD_MEMBERS);
  push.set_to("5");
  push.set_seq(5);
  GroupOp op;
  op.add_members("dave");
  push.set_content(op.SerializeAsString());
  answer(COMMAND_CTRL_PUSH, 0, push);
  EXPECT_EQ(one(COMMAND_CTRL_PUSH).as<PushAck>().seq(), 5);
  answer(COMMAND_SYNC_NOTIFY, 0, SyncNotify());
  PullResp response;
  auto& row = *response.add_msg();
  row.set_seq(6);
  row.set_cmd_id(COMMAND_CTRL_SEND);
  row.set_to("5");
  row.set_msg_type(CTRL_TYPE_DELETE_GROUP);
  answer_pull(response);
  ASSERT_EQ(messages.size(), 2U);
  for (const auto& message : messages) EXPECT_EQ(message.group_id, kGroup);
  const auto added = group_event(messages[0]);
  ASSERT_TRUE(added);
  EXPECT_EQ(added->type, CTRL_TYPE_ADD_MEMBERS);
  EXPECT_EQ(added->op.members(0), "dave");
  ASSERT_TRUE(group_event(messages[1]));
  EXPECT_EQ(group_event(messages[1])->type, CTRL_TYPE_DELETE_GROUP);
}

TEST(GroupEventTest, IsNothingForOtherAndForBadMessages) {
  EXPECT_FALSE(group_event({.kind = COMMAND_C2G_SEND}));
  EXPECT_FALSE(group_event({.kind = COMMAND_CTRL_SEND, .msg_type = 99}));
  EXPECT_FALSE(group_event({.kind = COMMAND_CTRL_SEND, .content = "\xff\xff"}));
}

TEST_F(GroupTest, OwnMessageComesOnceWithTheGroupsOrder) {
  log_in(0);
  send_to_group("g1");
  accept(one(COMMAND_C2G_SEND), 2009);
  EXPECT_TRUE(messages.empty());
  group_push(1, 9, "alice", "g1");
  group_push(1, 9, "alice", "g1");  // pushed again
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(messages[0].own);
  EXPECT_FALSE(messages[0].sent);
  EXPECT_EQ(messages[0].msg_id, done_sends[0].second->msg_id);
}

TEST_F(GroupTest, OwnMessageMayComeBeforeItsAnswer) {
  log_in(0);
  send_to_group("g1");
  group_push(1, 9, "alice", "g1");
  accept(one(COMMAND_C2G_SEND), 2009);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(messages[0].own);
}

TEST_F(GroupTest, MessageOfTheUsersOtherDeviceIsNotOwn) {
  log_in(0);
  group_push(1, 9, "alice", "of another device");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_FALSE(messages[0].own);
}

TEST_F(GroupOutboxTest, WhatWentToAGroupIsNotDeliveredFromTheOutboxToo) {
  log_in(0);
  sent_push(11, COMMAND_C2G_SEND);
  sent_push(12, COMMAND_CTRL_SEND);
  EXPECT_EQ(core.held().outbox, 12);
  EXPECT_EQ(taken(COMMAND_SENT_PUSH).back().as<PushAck>().outbox_seq(), 12);
  answer(COMMAND_SYNC_NOTIFY, 0, SyncNotify());
  PullResp response;
  for (const auto kind : {COMMAND_C2G_SEND, COMMAND_CTRL_SEND}) {
    auto& row = *response.add_sent();
    row.set_seq(13 + response.sent_size());
    row.set_cmd_id(kind);
  }
  answer_pull(response);
  EXPECT_EQ(core.held().outbox, 15);
  EXPECT_TRUE(messages.empty());
}

}  // namespace
}  // namespace hongyan::client
