#include "logic/pipeline/server_calls.h"

#include "pipeline_harness.h"
#include "proto/internal.pb.h"

namespace hongyan::logic {
namespace {

class ServerCallsTest : public PipelineHarness {
 protected:
  ServerCallsTest() { acquire(); }

  void store(std::uint32_t seq, const std::vector<std::string>& to, std::string_view id = "id") {
    internal::S2cStore body;
    for (const auto& uid : to) {
      auto& target = *body.add_targets();
      target.set_uid(uid);
      target.set_client_msg_id(std::string(id) + uid);
    }
    body.set_content("news");
    body.set_msg_type(7);
    request(node_, seq, "hr", internal::COMMAND_S2C_STORE, body.SerializeAsString());
  }
  template <typename M>
  M answered(std::uint32_t seq) {
    M message;
    const auto* answer = node_->answer(seq);
    EXPECT_NE(answer, nullptr) << seq;
    if (answer != nullptr) EXPECT_TRUE(message.ParseFromString(answer->body));
    return message;
  }
  void online(std::uint32_t seq, Slot slot, std::string_view app, std::uint32_t limit,
              const std::string& after) {
    internal::Online body;
    body.set_limit(limit);
    body.set_after(after);
    threads_[slot % kThreads]->request({.reply_to = {.gate = node_, .seq = seq},
                                        .slot = slot,
                                        .cmd_id = internal::COMMAND_ONLINE,
                                        .app_id = app,
                                        .uid = {},
                                        .body = body.SerializeAsString()});
  }

  std::shared_ptr<FakeGate> node_ = std::make_shared<FakeGate>("logic-1", 5);
};

TEST_F(ServerCallsTest, AnswersOnceWhenAllTargetsAreStored) {
  login(1, "alice", 1);
  settle();
  store(1, {"alice", "", "bob"});
  EXPECT_EQ(node_->answer(1), nullptr);
  settle();
  ASSERT_EQ(node_->answers.size(), 1U);
  const auto stored = answered<internal::S2cStored>(1);
  ASSERT_EQ(stored.results_size(), 3);
  EXPECT_GT(stored.results(0).msg_id(), 0);
  EXPECT_EQ(stored.results(1).error().code(), client::ERROR_CODE_BAD_REQUEST);
  EXPECT_NE(stored.results(2).msg_id(), stored.results(0).msg_id());
  EXPECT_EQ(shard_of("bob").inbox[std::make_pair("demo", "bob")].front().id, stored.results(2).msg_id());

  ASSERT_EQ(gate_->pushes.size(), 1U);
  EXPECT_EQ(gate_->pushes[0].cmd_id, static_cast<std::uint32_t>(client::COMMAND_S2C));
  client::S2CPush push;
  ASSERT_TRUE(push.ParseFromString(gate_->pushes[0].body));
  EXPECT_EQ(push.from(), "hr");
  EXPECT_EQ(push.content(), "news");
  EXPECT_EQ(push.seq(), 1);
  EXPECT_EQ(push.msg_type(), 7);
}

TEST_F(ServerCallsTest, StoresTheSameIdsOnce) {
  store(1, {"alice", "bob", "alice"});
  store(2, {"alice", "bob"});
  settle();
  store(3, {"alice", "bob"});
  settle();
  const auto first = answered<internal::S2cStored>(1);
  EXPECT_EQ(first.results(0).msg_id(), first.results(2).msg_id());
  for (const std::uint32_t seq : {2U, 3U}) {
    const auto again = answered<internal::S2cStored>(seq);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(again.results(i).msg_id(), first.results(i).msg_id());
  }
  EXPECT_EQ(shard_of("alice").inbox[std::make_pair("demo", "alice")].size(), 1U);
}

TEST_F(ServerCallsTest, AnUnacknowledgedPushGoesOutOnceMore) {
  login(1, "alice", 1);
  settle();
  store(1, {"alice"});
  settle();
  pass(config_.ack_timeout);
  ASSERT_EQ(gate_->pushes.size(), 2U);
  EXPECT_EQ(gate_->pushes[1].cmd_id, static_cast<std::uint32_t>(client::COMMAND_S2C));
  EXPECT_EQ(gate_->pushes[1].body, gate_->pushes[0].body);
}

TEST_F(ServerCallsTest, NotStoredGoesToWhoIsOnline) {
  login(1, "alice", 1);
  settle();
  internal::S2cPush body;
  body.set_from("hr");
  body.set_msg_id(99);
  request(node_, 1, "alice", internal::COMMAND_S2C_PUSH, body.SerializeAsString());
  request(node_, 2, "bob", internal::COMMAND_S2C_PUSH, body.SerializeAsString());
  gate_->open = false;
  request(node_, 3, "alice", internal::COMMAND_S2C_PUSH, body.SerializeAsString());
  gate_->open = true;
  EXPECT_EQ(answered<internal::S2cPushed>(1).outcome(), internal::S2cPushed::OUTCOME_ONLINE);
  EXPECT_EQ(answered<internal::S2cPushed>(2).outcome(), internal::S2cPushed::OUTCOME_OFFLINE);
  EXPECT_EQ(answered<internal::S2cPushed>(3).outcome(), internal::S2cPushed::OUTCOME_DROPPED);
  ASSERT_EQ(gate_->pushes.size(), 1U);
  client::S2CPush push;
  ASSERT_TRUE(push.ParseFromString(gate_->pushes[0].body));
  EXPECT_EQ(push.msg_id(), 99);
  EXPECT_EQ(push.seq(), 0);
  pass(config_.ack_timeout);
  EXPECT_EQ(gate_->pushes.size(), 1U) << "nobody waits for its acknowledgement";
}

TEST_F(ServerCallsTest, KicksTheDevicesThatAreMeant) {
  login(1, "alice", 1, client::DEVICE_TYPE_IOS);
  login(2, "alice", 2, client::DEVICE_TYPE_LINUX);
  settle();
  internal::Kick body;
  body.set_device_type(client::DEVICE_TYPE_IOS);
  body.set_reason("why");
  request(node_, 1, "alice", internal::COMMAND_KICK, body.SerializeAsString());
  EXPECT_EQ(answered<internal::Kicked>(1).sessions(), 1);
  ASSERT_EQ(gate_->kicks.size(), 1U);
  EXPECT_EQ(gate_->kicks[0].first, 1U);
  client::Kickout kickout;
  ASSERT_TRUE(kickout.ParseFromString(gate_->kicks[0].second));
  EXPECT_EQ(kickout.reason(), client::KICK_REASON_ADMIN);
  EXPECT_EQ(kickout.message(), "why");
  gate_->open = false;
  request(node_, 2, "alice", internal::COMMAND_KICK, "");
  EXPECT_EQ(answered<client::ErrorOnly>(2).error().code(), client::ERROR_CODE_UNAVAILABLE);
}

TEST_F(ServerCallsTest, ListsTheUsersOfASlotInOrder) {
  std::vector<std::string> users;  // of one slot
  const Slot slot = slot_of("demo", "alice");
  for (int i = 0; users.size() < 3; ++i) {
    const std::string uid = "u" + std::to_string(i);
    if (slot_of("demo", uid) == slot) users.push_back(uid);
  }
  std::ranges::sort(users);
  std::uint32_t channel = 0;
  for (const auto& uid : users) {
    ++channel;
    login(10 + channel, uid, channel);
  }
  settle();
  online(1, slot, "demo", 2, "");
  online(2, slot, "demo", 2, users[1]);
  online(3, slot, "shop", 2, "");
  const auto first = answered<internal::OnlinePage>(1);
  ASSERT_EQ(first.users_size(), 2);
  EXPECT_EQ(first.users(0).uid(), users[0]);
  EXPECT_TRUE(first.users(0).online());
  EXPECT_EQ(first.users(1).uid(), users[1]);
  const auto second = answered<internal::OnlinePage>(2);
  ASSERT_EQ(second.users_size(), 1);
  EXPECT_EQ(second.users(0).uid(), users[2]);
  EXPECT_EQ(answered<internal::OnlinePage>(3).users_size(), 0);

  client::LogoutReq logout;
  request(gate_, 50, users[0], client::COMMAND_LOGOUT, logout.SerializeAsString(), 1);
  online(4, slot, "demo", 2, "");
  EXPECT_EQ(answered<internal::OnlinePage>(4).users(0).uid(), users[1]);
}

}  // namespace
}  // namespace hongyan::logic
