#include "logic/message/push_acks.h"

#include <string>
#include <vector>

#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {
namespace {

constexpr std::uint32_t kPush = client::COMMAND_C2C_PUSH;
constexpr std::uint32_t kSyncNotify = client::COMMAND_SYNC_NOTIFY;

class PushAcksTest : public PipelineHarness {
 protected:
  PushAcksTest() { acquire(); }

  // What has gone to bob since the last call.
  std::vector<std::uint32_t> commands() {
    std::vector<std::uint32_t> out;
    for (const auto& push : gate_->pushes) out.push_back(push.cmd_id);
    gate_->pushes.clear();
    return out;
  }
  // What bob's device class is known to hold.
  std::int64_t held() {
    login(90, "bob", 590);
    settle();
    return body_of<client::AuthResp>(90).acked_inbox_seq();
  }
};
using Commands = std::vector<std::uint32_t>;

TEST_F(PushAcksTest, UnacknowledgedPushGoesOutOnceMore) {
  login(1, "bob", 500);
  settle();
  send(2, "alice", "bob", "id-1");
  settle();
  ASSERT_EQ(gate_->pushes.size(), 1U);
  pass(Milliseconds(4900));
  EXPECT_EQ(gate_->pushes.size(), 1U);
  pass(Milliseconds(200));
  ASSERT_EQ(gate_->pushes.size(), 2U);
  EXPECT_EQ(gate_->pushes[1].body, gate_->pushes[0].body);
  pass(Milliseconds(5100));
  EXPECT_EQ(gate_->pushes.size(), 2U);
  EXPECT_EQ(count(&PipelineCounters::undelivered), 1U);

  request(gate_, 3, "bob", client::COMMAND_PULL, client::PullReq().SerializeAsString(), 500);
  settle();
  ASSERT_EQ(gate_->pushes.size(), 3U);
  EXPECT_EQ(gate_->pushes[2].cmd_id, static_cast<std::uint32_t>(client::COMMAND_SYNC_NOTIFY));
}

TEST_F(PushAcksTest, AcknowledgedPushIsNotSentAgain) {
  login(1, "bob", 500);
  settle();
  send(2, "alice", "bob", "id-1");
  send(3, "alice", "bob", "id-2");
  settle();
  ack("bob", 500, 2);
  pass(Milliseconds(6000));
  EXPECT_EQ(gate_->pushes.size(), 2U);
  EXPECT_EQ(count(&PipelineCounters::resent), 0U);
}

TEST_F(PushAcksTest, AcksBeyondTheHeadOrBackwardsAreIgnored) {
  login(1, "bob", 500);
  settle();
  for (int i = 0; i < 3; ++i) send(10, "alice", "bob", "id-" + std::to_string(i));
  settle();
  ack("bob", 500, 99);
  ack("bob", 500, 2);
  ack("bob", 500, 1);
  EXPECT_EQ(count(&PipelineCounters::bad_acks), 2U);
  login(4, "bob", 501);
  settle();
  EXPECT_EQ(body_of<client::AuthResp>(4).acked_inbox_seq(), 2);
}

TEST_F(PushAcksTest, PastThePushWindowTheDeviceIsToldToPull) {
  config_.push_window = 4;
  login(1, "bob", 500);
  settle();
  for (std::uint32_t i = 0; i < 10; ++i) send(10 + i, "alice", "bob", "id-" + std::to_string(i));
  settle();
  EXPECT_EQ(gate_->pushes.size(), 4U);
  ack("bob", 500, 4);
  ASSERT_EQ(gate_->pushes.size(), 5U);
  EXPECT_EQ(gate_->pushes[4].cmd_id, static_cast<std::uint32_t>(client::COMMAND_SYNC_NOTIFY));
}

// The resend is under way when the acknowledgement of the first push comes.
TEST_F(PushAcksTest, ALateAcknowledgementAfterTheResendEndsTheWait) {
  login(1, "bob", 500);
  settle();
  send(2, "alice", "bob", "id-1");
  settle();
  pass(Milliseconds(5100));
  ASSERT_EQ(commands(), (Commands{kPush, kPush}));
  ack("bob", 500, 1);
  pass(Milliseconds(5100));
  EXPECT_EQ(commands(), Commands{});
  EXPECT_EQ(count(&PipelineCounters::undelivered), 0U);
  EXPECT_EQ(held(), 1);
}

// Told of as undelivered already: the cursor moves all the same, and who holds everything need not pull.
TEST_F(PushAcksTest, ALateAcknowledgementOfAnUndeliveredPushCounts) {
  login(1, "bob", 500);
  settle();
  send(2, "alice", "bob", "id-1");
  settle();
  pass(Milliseconds(5100));
  pass(Milliseconds(5100));
  ASSERT_EQ(commands(), (Commands{kPush, kPush}));
  ASSERT_EQ(count(&PipelineCounters::undelivered), 1U);

  ack("bob", 500, 1);
  EXPECT_EQ(commands(), Commands{});
  EXPECT_EQ(count(&PipelineCounters::acked), 1U);
  EXPECT_EQ(count(&PipelineCounters::bad_acks), 0U);
  send(3, "alice", "bob", "id-2");
  settle();
  EXPECT_EQ(commands(), Commands{kPush});
  EXPECT_EQ(held(), 1);
}

TEST_F(PushAcksTest, ALateAcknowledgementOfAPartTellsTheDeviceToPullTheRest) {
  login(1, "bob", 500);
  settle();
  for (std::uint32_t i = 0; i < 3; ++i) send(10 + i, "alice", "bob", "id-" + std::to_string(i));
  settle();
  pass(Milliseconds(5100));
  pass(Milliseconds(5100));
  ASSERT_EQ(count(&PipelineCounters::undelivered), 3U);
  ASSERT_EQ(commands().size(), 6U);

  ack("bob", 500, 2);
  EXPECT_EQ(commands(), Commands{kSyncNotify});
  ack("bob", 500, 2);  // told once
  EXPECT_EQ(commands(), Commands{});
  EXPECT_EQ(held(), 2);
}

TEST_F(PushAcksTest, BeyondTheBytesKeptTheResendIsASyncNotify) {
  config_.max_retained_push_bytes = 1500;
  const std::string content(1000, 'x');
  login(1, "bob", 500);
  settle();
  send(2, "alice", "bob", "id-1", content);
  send(3, "alice", "bob", "id-2", content);
  settle();
  ASSERT_EQ(commands(), (Commands{kPush, kPush}));
  pass(Milliseconds(5100));
  EXPECT_EQ(commands(), (Commands{kPush, kSyncNotify}));

  // What is acknowledged makes room, as what was sent again does.
  for (std::uint32_t seq = 3; seq <= 5; ++seq) {
    send(seq + 1, "alice", "bob", "id-" + std::to_string(seq), content);
    settle();
    if (seq < 5) ack("bob", 500, seq);
  }
  EXPECT_EQ(commands(), (Commands{kPush, kPush, kPush}));
  pass(Milliseconds(5100));
  EXPECT_EQ(commands(), Commands{kPush});
}

}  // namespace
}  // namespace hongyan::logic
