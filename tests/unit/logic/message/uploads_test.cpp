#include "logic/message/uploads.h"

#include <gtest/gtest.h>

#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {
namespace {

class FakeSink : public UploadSink {
 public:
  Status publish(UploadWorkPtr& upload) override {
    if (full) return fail(Code::kUnavailable, "too much waits for Kafka", 700);
    taken.push_back(std::move(upload));
    return {};
  }
  std::deque<UploadWorkPtr> taken;
  bool full = false;
};

class UploadsTest : public PipelineHarness {
 protected:
  UploadsTest() {
    destinations_.allow("demo", "orders");
    destinations_.allow("demo", "feedback");
    destinations_.allow("other", "secret");
    uploads_ = {.sink = &sink_, .destinations = &destinations_, .timeout = Milliseconds(2500)};
    restart();
    acquire();
  }

  void upload(std::uint32_t seq, std::string_view uid, std::string_view destination, std::string_view id,
              std::string_view content = "x") {
    client::C2SReq body;
    body.set_destination(std::string(destination));
    body.set_client_msg_id(std::string(id));
    body.set_content(std::string(content));
    request(gate_, seq, uid, client::COMMAND_C2S, body.SerializeAsString());
  }
  // The sink reports on what it took first.
  void report(Status outcome = {}) {
    ASSERT_FALSE(sink_.taken.empty());
    std::vector<UploadWorkPtr> batch;
    batch.push_back(std::move(sink_.taken.front()));
    sink_.taken.pop_front();
    batch.front()->outcome = std::move(outcome);
    threads_[batch.front()->thread]->uploads_finished(batch);
  }
  client::ErrorCode code(std::uint32_t seq) { return body_of<client::ErrorOnly>(seq).error().code(); }

  FakeSink sink_;
  UploadDestinations destinations_;
};

TEST_F(UploadsTest, AnswersOnlyOnceItIsPublished) {
  const std::string bytes("\0\xff", 2);
  upload(1, "alice", "orders", "id-1", bytes);
  ASSERT_EQ(sink_.taken.size(), 1U);
  const UploadWork& work = *sink_.taken.front();
  EXPECT_EQ(work.app_id, "demo");
  EXPECT_EQ(work.uid, "alice");
  EXPECT_EQ(work.destination, "orders");
  EXPECT_EQ(work.content, bytes);
  EXPECT_EQ(work.client_msg_id, "id-1");
  EXPECT_EQ(work.device_type, 1U);
  EXPECT_EQ(work.time_ms, 1'700'000'000'000);
  const MsgId id = work.msg_id;
  EXPECT_GT(id, 0);
  EXPECT_EQ(gate_->answer(1), nullptr);
  report();
  EXPECT_EQ(body_of<client::C2SResp>(1).msg_id(), id);
  EXPECT_EQ(body_of<client::C2SResp>(1).timestamp(), 1'700'000'000'000);
  EXPECT_EQ(count(&PipelineCounters::uploads), 1U);
}

TEST_F(UploadsTest, ResendOnItsWayJoinsTheFirstAttempt) {
  upload(1, "alice", "orders", "id-1");
  upload(2, "alice", "orders", "id-1");
  upload(3, "alice", "feedback", "id-1");
  upload(4, "bob", "orders", "id-1");  // another user's id
  EXPECT_EQ(sink_.taken.size(), 2U);
  EXPECT_EQ(code(3), client::ERROR_CODE_ALREADY_EXISTS);
  report();
  EXPECT_GT(body_of<client::C2SResp>(1).msg_id(), 0);
  EXPECT_EQ(body_of<client::C2SResp>(2).msg_id(), body_of<client::C2SResp>(1).msg_id());
  EXPECT_EQ(gate_->answer(4), nullptr);
  upload(5, "alice", "orders", "id-1");  // published before: published again, at least once
  EXPECT_EQ(sink_.taken.size(), 2U);
}

TEST_F(UploadsTest, RefusesWhatIsNotAllowed) {
  upload(1, "alice", "secret", "id");  // another app's
  EXPECT_EQ(code(1), client::ERROR_CODE_NOT_FOUND);
  upload(2, "alice", "", "id");
  EXPECT_EQ(code(2), client::ERROR_CODE_BAD_REQUEST);
  upload(3, "alice", std::string(65, 'x'), "id");
  EXPECT_EQ(code(3), client::ERROR_CODE_BAD_REQUEST);
  upload(4, "alice", "orders", "");
  EXPECT_EQ(code(4), client::ERROR_CODE_BAD_REQUEST);
  upload(5, "alice", "orders", std::string(65, 'x'));
  EXPECT_EQ(code(5), client::ERROR_CODE_BAD_REQUEST);
  request(gate_, 6, "alice", client::COMMAND_C2S, "\xff");
  EXPECT_EQ(code(6), client::ERROR_CODE_BAD_REQUEST);
  EXPECT_TRUE(sink_.taken.empty());
}

TEST_F(UploadsTest, TellsErrorsOfTheSink) {
  sink_.full = true;
  upload(1, "alice", "orders", "id-1");
  EXPECT_EQ(code(1), client::ERROR_CODE_UNAVAILABLE);
  EXPECT_EQ(body_of<client::ErrorOnly>(1).error().retry_after_ms(), 700U);
  sink_.full = false;
  upload(2, "alice", "orders", "id-1");
  report(fail(Code::kUnavailable, "away", 1000));
  EXPECT_EQ(code(2), client::ERROR_CODE_UNAVAILABLE);
  EXPECT_EQ(body_of<client::ErrorOnly>(2).error().retry_after_ms(), 1000U);
  upload(3, "alice", "orders", "id-1");
  report(fail(Code::kDeadlineExceeded, "perhaps"));
  EXPECT_EQ(code(3), client::ERROR_CODE_DEADLINE_EXCEEDED);
  EXPECT_EQ(count(&PipelineCounters::uploads), 0U);
}

TEST_F(UploadsTest, AnswersInTimeAndLetsAResendJoinWhatIsStillOnItsWay) {
  upload(1, "alice", "orders", "id-1");
  pass(Milliseconds(2400));
  EXPECT_EQ(gate_->answer(1), nullptr);
  pass(Milliseconds(200));
  EXPECT_EQ(code(1), client::ERROR_CODE_DEADLINE_EXCEEDED);
  upload(2, "alice", "orders", "id-1");
  EXPECT_EQ(sink_.taken.size(), 1U);
  report();
  EXPECT_GT(body_of<client::C2SResp>(2).msg_id(), 0);
  pass(Milliseconds(5000));
  EXPECT_EQ(gate_->answers.size(), 2U);
}

TEST_F(UploadsTest, DeadlineOfAnEarlierAttemptSparesALaterOne) {
  upload(1, "alice", "orders", "id-1");
  report(fail(Code::kUnavailable, "away", 1000));
  pass(Milliseconds(2000));
  upload(2, "alice", "orders", "id-1");
  pass(Milliseconds(1000));
  EXPECT_EQ(gate_->answer(2), nullptr);
  report();
  EXPECT_GT(body_of<client::C2SResp>(2).msg_id(), 0);
}

TEST_F(UploadsTest, OfOneUserSoManyAreUnderWay) {
  config_.max_uploads_of_user = 3;
  for (std::uint32_t i = 1; i <= 5; ++i) upload(i, "alice", "orders", "id-" + std::to_string(i));
  upload(6, "bob", "orders", "id");
  EXPECT_EQ(sink_.taken.size(), 4U);
  EXPECT_EQ(gate_->answer(3), nullptr);
  EXPECT_EQ(code(4), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_EQ(code(5), client::ERROR_CODE_RATE_LIMITED);
  EXPECT_GT(body_of<client::ErrorOnly>(4).error().retry_after_ms(), 0U);
  // A resend joins its first attempt; an answer that says "unknown" leaves the upload under way.
  upload(7, "alice", "orders", "id-1");
  EXPECT_EQ(gate_->answer(7), nullptr);
  pass(Milliseconds(3000));
  upload(8, "alice", "orders", "id-8");
  EXPECT_EQ(code(8), client::ERROR_CODE_RATE_LIMITED);
  report();
  upload(9, "alice", "orders", "id-9");
  EXPECT_EQ(gate_->answer(9), nullptr);
  EXPECT_EQ(counters_[0].limited[2].get() + counters_[1].limited[2].get(), 3U);
}

TEST_F(UploadsTest, OfOneUserSoManyBytesAreUnderWay) {
  config_.max_upload_bytes_of_user = 10'000;
  upload(1, "alice", "orders", "id-1", std::string(20'000, 'x'));  // one always passes
  upload(2, "alice", "orders", "id-2");
  EXPECT_EQ(code(2), client::ERROR_CODE_RATE_LIMITED);
  report(fail(Code::kUnavailable, "away", 1000));
  upload(3, "alice", "orders", "id-3", std::string(5'000, 'x'));
  upload(4, "alice", "orders", "id-4", std::string(4'000, 'x'));
  upload(5, "alice", "orders", "id-5", std::string(1'000, 'x'));
  EXPECT_EQ(gate_->answer(4), nullptr);
  EXPECT_EQ(code(5), client::ERROR_CODE_RATE_LIMITED);
}

TEST_F(UploadsTest, AUserUploadsSoMuchASecond) {
  AppRules rules;
  rules.upload = {.per_second = 1000, .burst = 10'000};
  rules_.set("demo", rules);
  const std::string big(4'000, 'x');
  for (std::uint32_t i = 1; i <= 3; ++i) {
    upload(i, "alice", "orders", "id-" + std::to_string(i), big);
    report();
    EXPECT_GT(body_of<client::C2SResp>(i).msg_id(), 0) << i;
  }
  upload(4, "alice", "orders", "id-4");
  EXPECT_EQ(code(4), client::ERROR_CODE_RATE_LIMITED);
  const auto wait = body_of<client::ErrorOnly>(4).error().retry_after_ms();
  EXPECT_GT(wait, 2'000U);
  pass(Milliseconds(wait));
  upload(5, "alice", "orders", "id-4");
  EXPECT_EQ(gate_->answer(5), nullptr);
  EXPECT_EQ(counters_[0].limited[3].get() + counters_[1].limited[3].get(), 1U);
}

TEST_F(UploadsTest, WhatTheSinkDoesNotTakeCostsNothing) {
  AppRules rules;
  rules.upload = {.per_second = 1000, .burst = 10'000};
  rules_.set("demo", rules);
  sink_.full = true;
  for (std::uint32_t i = 1; i <= 5; ++i) {
    upload(i, "alice", "orders", "id-1", std::string(20'000, 'x'));
    EXPECT_EQ(code(i), client::ERROR_CODE_UNAVAILABLE) << i;
  }
}

TEST_F(UploadsTest, OneUploadAnswersSoManyResends) {
  for (std::uint32_t i = 1; i <= 70; ++i) upload(i, "alice", "orders", "id-1");
  EXPECT_EQ(sink_.taken.size(), 1U);
  EXPECT_EQ(gate_->answer(64), nullptr);
  EXPECT_EQ(code(65), client::ERROR_CODE_UNAVAILABLE);
  report();
  EXPECT_GT(body_of<client::C2SResp>(64).msg_id(), 0);
}

TEST_F(UploadsTest, KeepsAUsersOrder) {
  for (std::uint32_t i = 1; i <= 20; ++i) upload(i, "alice", "orders", "id-" + std::to_string(i));
  for (std::uint32_t i = 1; i <= 20; ++i) {
    EXPECT_EQ(sink_.taken[i - 1]->client_msg_id, "id-" + std::to_string(i));
    if (i > 1) EXPECT_GT(sink_.taken[i - 1]->msg_id, sink_.taken[i - 2]->msg_id);
  }
}

TEST_F(UploadsTest, GoesOnWhileTheShardIsAway) {
  for (auto& thread : threads_) {
    thread->shard_status(0, SlotStatus::kSuspended);
    thread->shard_status(1, SlotStatus::kSuspended);
  }
  upload(1, "alice", "orders", "id-1");
  report();
  EXPECT_GT(body_of<client::C2SResp>(1).msg_id(), 0);
}

TEST_F(UploadsTest, NeedsTheSlot) {
  restart();  // owns nothing
  upload(1, "alice", "orders", "id-1");
  EXPECT_EQ(gate_->not_owner, std::vector<std::uint32_t>{1});
  EXPECT_TRUE(sink_.taken.empty());
}

TEST_F(UploadsTest, SaysWhenNothingIsConfigured) {
  uploads_ = {};
  restart();
  acquire();
  upload(1, "alice", "orders", "id-1");
  EXPECT_EQ(code(1), client::ERROR_CODE_FAILED_PRECONDITION);
}

}  // namespace
}  // namespace hongyan::logic
