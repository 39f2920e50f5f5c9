// How many pulls of a user are under way, and how much they bring.
#include "logic/pipeline/pull.h"

#include <string>

#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {
namespace {

class PullTest : public PipelineHarness {
 protected:
  PullTest() {
    acquire();
    for (int i = 0; i < 4; ++i) {
      send(next_++, "carol", "alice", "a" + std::to_string(i), std::string(1000, 'x'));
      send(next_++, "carol", "bob", "b" + std::to_string(i), std::string(1000, 'x'));
    }
    settle();
  }

  void ask(std::uint32_t seq, std::string_view uid, std::int64_t offset = 0, std::int32_t limit = 1) {
    client::PullReq body;
    body.set_offset(offset);
    body.set_outbox_offset(-1);
    body.set_limit(limit);
    request(gate_, seq, uid, client::COMMAND_PULL, body.SerializeAsString(), 1);
  }
  void hold() {
    for (auto& shard : shards_) shard.hold_reads = true;
  }
  std::size_t held() { return shards_[0].held_reads.size() + shards_[1].held_reads.size(); }
  bool answered(std::uint32_t seq) { return gate_->answer(seq) != nullptr; }
  void limit_pulls(ByteRate rate) {
    AppRules rules;
    rules.pull = rate;
    rules_.set("demo", rules);
    restart();
    acquire();
  }
  client::ErrorCode code(std::uint32_t seq) { return body_of<client::PullResp>(seq).error().code(); }

  std::uint32_t next_ = 1000;
};

TEST_F(PullTest, TwoOfAUserAreUnderWayAndTheOthersFollow) {
  hold();
  for (std::uint32_t i = 1; i <= 5; ++i) ask(i, "alice");
  ask(6, "bob");
  settle();
  EXPECT_EQ(held(), 3U);
  while (held() > 0) {
    EXPECT_LE(held(), 3U);
    for (MemoryShard& shard : shards_) {
      if (!shard.held_reads.empty()) shard.let_read();
    }
    settle();
  }
  for (std::uint32_t i = 1; i <= 6; ++i) {
    ASSERT_TRUE(answered(i)) << i;
    EXPECT_EQ(body_of<client::PullResp>(i).msg_size(), 1) << i;
  }
}

TEST_F(PullTest, MoreThanMayWaitAreRefused) {
  hold();
  const auto most = static_cast<std::uint32_t>(2 + PullService::kMostWaiting);
  for (std::uint32_t i = 1; i <= most + 3; ++i) ask(i, "alice");
  settle();
  EXPECT_EQ(held(), 2U);
  for (std::uint32_t i = 1; i <= most; ++i) EXPECT_FALSE(answered(i)) << i;
  for (std::uint32_t i = most + 1; i <= most + 3; ++i) {
    EXPECT_EQ(code(i), client::ERROR_CODE_RATE_LIMITED) << i;
    EXPECT_GT(body_of<client::PullResp>(i).error().retry_after_ms(), 0U);
  }
  EXPECT_EQ(counters_[0].limited[1].get() + counters_[1].limited[1].get(), 3U);
}

TEST_F(PullTest, WhoWaitsTooLongIsToldSo) {
  hold();
  for (std::uint32_t i = 1; i <= 3; ++i) ask(i, "alice");
  settle();
  pass(config_.accept_deadline);
  EXPECT_FALSE(answered(3));
  pass(Milliseconds(1));
  EXPECT_EQ(code(3), client::ERROR_CODE_UNAVAILABLE);
  shard_of("alice").let_read();
  shard_of("alice").let_read();
  settle();
  EXPECT_EQ(body_of<client::PullResp>(1).msg_size(), 1);
  EXPECT_EQ(held(), 0U);
}

TEST_F(PullTest, BeyondTheBytesOfAWhilePullsWait) {
  limit_pulls({.per_second = 10'000, .burst = 10'000});
  ask(1, "alice", 0, 200);  // four kilobytes
  settle();
  ask(2, "alice", 0, 200);
  settle();
  ask(3, "alice", 0, 200);
  settle();
  ask(4, "alice", 0, 200);
  ask(5, "bob", 0, 200);
  settle();
  for (std::uint32_t i = 1; i <= 3; ++i) EXPECT_EQ(body_of<client::PullResp>(i).msg_size(), 4) << i;
  EXPECT_FALSE(answered(4));
  EXPECT_EQ(body_of<client::PullResp>(5).msg_size(), 4);
  pass(Milliseconds(100));
  EXPECT_FALSE(answered(4));
  pass(Milliseconds(300));
  ASSERT_TRUE(answered(4));
  EXPECT_EQ(body_of<client::PullResp>(4).msg_size(), 4);
}

TEST_F(PullTest, APullThatFailsMakesRoomForTheNext) {
  for (std::uint32_t i = 1; i <= 20; ++i) {
    ask(i, "alice", 99);  // beyond the head
    settle();
    EXPECT_EQ(code(i), client::ERROR_CODE_FAILED_PRECONDITION) << i;
  }
  ask(30, "alice");
  settle();
  EXPECT_EQ(body_of<client::PullResp>(30).msg_size(), 1);
}

}  // namespace
}  // namespace hongyan::logic
