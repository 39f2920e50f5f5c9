#include "tests/unit/client/core_fixture.h"

namespace hongyan::client {
namespace {

class SendTest : public CoreFixture {
 protected:
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (const Sent& packet : taken(COMMAND_C2C_SEND)) out.push_back(packet.as<C2CSendReq>().client_msg_id());
    return out;
  }
  Code last_code() const {
    if (done_sends.empty() || done_sends.back().second) return Code::kOk;
    return done_sends.back().second.error().code;
  }
};

using Ids = std::vector<std::string>;

TEST_F(SendTest, CarriesWhatWasGivenAndReportsTheReceipt) {
  log_in();
  const SendId id = send("bob", "c1");
  const auto request = one(COMMAND_C2C_SEND);
  EXPECT_EQ(request.as<C2CSendReq>().from(), "alice");
  EXPECT_EQ(request.as<C2CSendReq>().to(), "bob");
  EXPECT_EQ(request.as<C2CSendReq>().content(), "hello");
  accept(request, 42, 3);
  ASSERT_EQ(done_sends.size(), 1U);
  EXPECT_EQ(done_sends[0].first, id);
  ASSERT_TRUE(done_sends[0].second);
  EXPECT_EQ(done_sends[0].second->msg_id, 42);
  EXPECT_EQ(done_sends[0].second->outbox_seq, 3);
  EXPECT_EQ(done_sends[0].second->client_msg_id, "c1");
  EXPECT_EQ(done_sends[0].second->attempts, 1);
  EXPECT_EQ(core.pending_sends(), 0U);
}

TEST_F(SendTest, UploadsByTheSameRules) {
  log_in();
  core.send(7, ToService{"orders", std::string("\0\xff", 2)}, {.client_msg_id = "u1"}, now);
  core.send(8, ToService{"orders", "second"}, {.client_msg_id = "u2"}, now);
  settle();
  const auto request = one(COMMAND_C2S);  // the second waits for the first's answer
  EXPECT_EQ(request.as<C2SReq>().destination(), "orders");
  EXPECT_EQ(request.as<C2SReq>().content(), std::string("\0\xff", 2));
  EXPECT_EQ(request.as<C2SReq>().client_msg_id(), "u1");
  refuse(request, ERROR_CODE_DEADLINE_EXCEEDED);
  advance(Milliseconds(10'000));
  const auto again = one(COMMAND_C2S);
  EXPECT_EQ(again.as<C2SReq>().client_msg_id(), "u1");
  accept(again, 42);
  ASSERT_EQ(done_sends.size(), 1U);
  EXPECT_EQ(done_sends[0].second->msg_id, 42);
  EXPECT_EQ(done_sends[0].second->attempts, 2);
  const auto second = one(COMMAND_C2S);
  EXPECT_EQ(second.as<C2SReq>().client_msg_id(), "u2");
  refuse(second, ERROR_CODE_NOT_FOUND);
  EXPECT_EQ(last_code(), Code::kNotFound);

  core.send(9, ToService{std::string(65, 'x'), ""}, {.client_msg_id = "u3"}, now);
  settle();
  EXPECT_EQ(last_code(), Code::kBadRequest);
}

TEST_F(SendTest, WaitsForAConnection) {
  core.start(now);
  send("bob", "c1");
  EXPECT_EQ(ids(), Ids{});
  authenticate();
  EXPECT_EQ(ids(), Ids{"c1"});
}

TEST_F(SendTest, KeepsOneInFlightForEachConversation) {
  log_in();
  send("bob", "b1");
  send("bob", "b2");
  send("carol", "c1");
  const auto first = taken(COMMAND_C2C_SEND);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].as<C2CSendReq>().client_msg_id(), "c1");
  accept(first[0], 1);
  EXPECT_EQ(ids(), Ids{"b2"});
}

TEST_F(SendTest, ResendsWithTheSameIdAfterAReconnect) {
  log_in();
  send("bob", "b1");
  send("bob", "b2");
  EXPECT_EQ(ids(), Ids{"b1"});
  cut();
  advance_to_wake();
  authenticate();
  const auto again = one(COMMAND_C2C_SEND);
  EXPECT_EQ(again.as<C2CSendReq>().client_msg_id(), "b1");
  accept(again, 9);
  EXPECT_EQ(done_sends[0].second->attempts, 2);
  EXPECT_EQ(ids(), Ids{"b2"});
}

TEST_F(SendTest, ResendsWhatWasRefusedForNowAfterTheTimeAskedFor) {
  for (const auto code : {ERROR_CODE_UNAVAILABLE, ERROR_CODE_RATE_LIMITED}) {
    SCOPED_TRACE(ErrorCode_Name(code));
    if (core.state() == State::kStopped) log_in();
    const std::string id = "b" + std::to_string(code);
    send("bob", id);
    refuse(one(COMMAND_C2C_SEND), code, 900);
    advance(Milliseconds(899));
    EXPECT_EQ(ids(), Ids{});
    advance_to_wake();
    const auto again = one(COMMAND_C2C_SEND);
    EXPECT_EQ(again.as<C2CSendReq>().client_msg_id(), id);
    accept(again, 5);
    EXPECT_EQ(last_code(), Code::kOk);
  }
}

TEST_F(SendTest, KeepsOrderWhileTheFirstIsRefusedForNow) {
  log_in();
  send("bob", "b1");
  send("bob", "b2");
  refuse(one(COMMAND_C2C_SEND), ERROR_CODE_UNAVAILABLE);
  EXPECT_EQ(ids(), Ids{});
  advance_to_wake();
  const auto again = one(COMMAND_C2C_SEND);
  EXPECT_EQ(again.as<C2CSendReq>().client_msg_id(), "b1");
}

TEST_F(SendTest, OneAtATimeAsksWhetherTheServiceIsBack) {
  log_in();
  for (const char* uid : {"u1", "u2", "u3", "u4", "u5", "u6"}) send(uid, uid);
  const auto refuse_all = [this](std::size_t count) {
    const auto requests = taken(COMMAND_C2C_SEND);
    EXPECT_EQ(requests.size(), count);
    for (const auto& request : requests) refuse(request, ERROR_CODE_UNAVAILABLE, 200);
  };
  refuse_all(6);
  send("u7", "u7");
  EXPECT_EQ(ids(), Ids{});
  advance(Milliseconds(274));
  EXPECT_EQ(ids(), Ids{});
  advance_to_wake();
  refuse_all(1);  // u7, which is behind the last that was tried
  advance(Milliseconds(349));
  EXPECT_EQ(ids(), Ids{});
  advance_to_wake();
  refuse_all(1);  // u1
  advance(Milliseconds(500));
  Ids sent_ids;
  for (const std::size_t count : {1U, 2U, 4U}) {
    const auto requests = taken(COMMAND_C2C_SEND);
    EXPECT_EQ(requests.size(), count);
    for (const auto& request : requests) {
      sent_ids.push_back(request.as<C2CSendReq>().client_msg_id());
      accept(request, 1);
    }
  }
  EXPECT_EQ(sent_ids, (Ids{"u2", "u3", "u4", "u5", "u6", "u7", "u1"}));
  EXPECT_EQ(core.pending_sends(), 0U);
  send("u8", "u8");
  refuse(one(COMMAND_C2C_SEND), ERROR_CODE_UNAVAILABLE, 200);  // a first one again
  send("u9", "u9");
  EXPECT_EQ(ids(), Ids{"u9"});
}

TEST_F(SendTest, OneThatIsRefusedDoesNotHoldTheOthers) {
  log_in();
  send("u1", "u1");
  for (int round = 0; round < 3; ++round) {
    refuse(one(COMMAND_C2C_SEND), ERROR_CODE_UNAVAILABLE, 200);
    advance_to_wake();
  }
  refuse(one(COMMAND_C2C_SEND), ERROR_CODE_UNAVAILABLE, 200);
  send("u2", "u2");
  EXPECT_EQ(ids(), Ids{"u2"});
}

TEST_F(SendTest, WhoAsksWhetherTheServiceIsBackMayGetNoAnswer) {
  log_in();
  for (const char* uid : {"u1", "u2"}) send(uid, uid);
  for (const auto& request : taken(COMMAND_C2C_SEND)) refuse(request, ERROR_CODE_UNAVAILABLE, 200);
  advance_to_wake();
  refuse(one(COMMAND_C2C_SEND), ERROR_CODE_INTERNAL);
  EXPECT_EQ(ids(), Ids{});
  advance(Milliseconds(200));
  EXPECT_EQ(ids().size(), 1U);
  advance(Milliseconds(5'000));
  push(1);  // the connection lives
  advance(Milliseconds(3'100));
  EXPECT_EQ(ids(), Ids{});  // given up, and the next may not ask yet
  advance(Milliseconds(400));
  const auto last = one(COMMAND_C2C_SEND);
  accept(last, 1);
  accept(one(COMMAND_C2C_SEND), 2);
  EXPECT_EQ(core.pending_sends(), 0U);
}

TEST_F(SendTest, UploadsThatAreRefusedDoNotHoldMessages) {
  log_in();
  core.send(++last_send, ToService{"orders", "a"}, {.client_msg_id = "s1"}, now);
  core.send(++last_send, ToService{"bills", "a"}, {.client_msg_id = "s2"}, now);
  settle();
  for (const auto& request : taken(COMMAND_C2S)) refuse(request, ERROR_CODE_UNAVAILABLE, 200);
  core.send(++last_send, ToService{"tickets", "a"}, {.client_msg_id = "s3"}, now);
  send("bob", "b1");
  EXPECT_EQ(ids(), Ids{"b1"});
  EXPECT_TRUE(taken(COMMAND_C2S).empty());
}

TEST_F(SendTest, WhatIsHeldEndsAtItsDeadlineAndGoesWithANewConnection) {
  log_in();
  for (const char* uid : {"u1", "u2"}) send(uid, uid);
  for (const auto& request : taken(COMMAND_C2C_SEND)) refuse(request, ERROR_CODE_UNAVAILABLE, 20'000);
  send("u3", "u3", Milliseconds(2'000));
  send("u4", "u4");
  advance(Milliseconds(2'000));
  EXPECT_EQ(last_code(), Code::kDeadlineExceeded);
  EXPECT_EQ(ids(), Ids{});
  cut();
  advance_to_wake();
  authenticate();
  EXPECT_EQ(ids(), (Ids{"u1", "u2", "u4"}));
}

TEST_F(SendTest, ResendsWhatHadNoAnswerInTime) {
  log_in();
  send("bob", "b1");
  const auto first = one(COMMAND_C2C_SEND);
  advance(Milliseconds(5'000));
  push(1);  // the connection lives
  advance(Milliseconds(3'100));
  EXPECT_EQ(core.state(), State::kOnline);
  const auto second = one(COMMAND_C2C_SEND);
  EXPECT_NE(first.seq, second.seq);
  EXPECT_EQ(second.as<C2CSendReq>().client_msg_id(), "b1");
  accept(second, 5);
  EXPECT_EQ(last_code(), Code::kOk);
}

TEST_F(SendTest, EndsAtItsDeadline) {
  log_in();
  send("bob", "b1", Milliseconds(2'000));
  send("bob", "b2", Milliseconds(60'000));
  EXPECT_EQ(ids(), Ids{"b1"});
  advance(Milliseconds(2'000));
  EXPECT_EQ(last_code(), Code::kDeadlineExceeded);
  EXPECT_EQ(ids(), Ids{"b2"});
}

TEST_F(SendTest, EndsAtItsDeadlineWithoutAConnectionToo) {
  core.start(now);
  send("bob", "b1", Milliseconds(2'000));
  advance(Milliseconds(2'000));
  EXPECT_EQ(last_code(), Code::kDeadlineExceeded);
}

TEST_F(SendTest, TakesOtherErrorsAsFinal) {
  log_in();
  send("bob", "b1");
  refuse(one(COMMAND_C2C_SEND), ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(last_code(), Code::kPermissionDenied);
}

TEST_F(SendTest, StaysUnknownWhenRefusedAfterAnUnknownAttempt) {
  log_in();
  send("bob", "b1");
  refuse(one(COMMAND_C2C_SEND), ERROR_CODE_INTERNAL);
  advance_to_wake();
  refuse(one(COMMAND_C2C_SEND), ERROR_CODE_PERMISSION_DENIED);
  EXPECT_EQ(last_code(), Code::kDeadlineExceeded);
}

TEST_F(SendTest, RefusesBadInputAtOnce) {
  log_in();
  send("", "b1");
  EXPECT_EQ(last_code(), Code::kBadRequest);
  send(std::string("a\0b", 3), "b2");
  EXPECT_EQ(last_code(), Code::kBadRequest);
  send("bob", std::string(65, 'x'));
  EXPECT_EQ(last_code(), Code::kBadRequest);
  core.send(99, ToUser{"bob", std::string(70'000, 'x')}, {.client_msg_id = "big"}, now);
  settle();
  EXPECT_EQ(last_code(), Code::kTooLarge);
  send("bob", "twice");
  send("bob", "twice");
  EXPECT_EQ(last_code(), Code::kBadRequest);
  EXPECT_EQ(ids(), Ids{"twice"});
}

TEST_F(SendTest, FailsWhatIsPendingWhenItStops) {
  log_in();
  send("bob", "flying");
  send("bob", "waiting");
  core.abandon();
  settle();
  ASSERT_EQ(done_sends.size(), 2U);
  EXPECT_EQ(done_sends[0].second.error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(done_sends[1].second.error().code, Code::kUnavailable);
  send("bob", "late");
  EXPECT_EQ(last_code(), Code::kUnavailable);
}

TEST(SendLimitTest, RefusesBeyondTheCount) {
  CoreOptions options;
  options.uid = "alice";
  options.max_pending = 2;
  ClientCore core(options, [] { return 0.5; });
  const SteadyTime now{};
  core.start(now);
  for (SendId id = 1; id <= 3; ++id)
    core.send(id, ToUser{"bob", "x"}, {.client_msg_id = std::to_string(id)}, now);
  int refused = 0;
  for (const Output& output : core.take()) {
    const auto* done = std::get_if<output::SendDone>(&output);
    if (done == nullptr) continue;
    ++refused;
    EXPECT_EQ(done->id, 3U);
    EXPECT_EQ(done->result.error().code, Code::kUnavailable);
  }
  EXPECT_EQ(refused, 1);
}

TEST(SendLimitTest, RefusesBeyondTheBytes) {
  CoreOptions options;
  options.uid = "alice";
  options.max_pending_bytes = 100'000;
  ClientCore core(options, [] { return 0.5; });
  const SteadyTime now{};
  core.start(now);
  for (SendId id = 1; id <= 3; ++id) {
    core.send(id, ToUser{"bob", std::string(40'000, 'x')}, {.client_msg_id = std::to_string(id)}, now);
  }
  const auto outputs = core.take();
  EXPECT_EQ(std::ranges::count_if(
                outputs, [](const Output& o) { return std::holds_alternative<output::SendDone>(o); }),
            1);
}

TEST(SendOrderTest, SendsAllAtOnceWhenOrderIsNotAsked) {
  CoreOptions options;
  options.uid = "alice";
  options.strict_order = false;
  Outputs outputs(kClientVersion);
  const Random random = [] { return 0.5; };
  Pace pace(options.request_timeout);
  SendQueue queue(options, outputs, pace, random);
  const SteadyTime now{};
  queue.on_online(now);
  for (SendId id = 1; id <= 3; ++id) {
    queue.add(id,
              {.conversation = "ubob",
               .client_msg_id = std::to_string(id),
               .body = "x",
               .deadline = Milliseconds(60'000)},
              now);
  }
  EXPECT_EQ(queue.in_flight(), 3U);
  Error away;
  away.set_code(ERROR_CODE_UNAVAILABLE);
  for (std::uint32_t seq = 0; seq < 10; ++seq) queue.on_response(seq, {}, away, now);
  EXPECT_EQ(queue.in_flight(), 0U);
  queue.on_time(now + Milliseconds(5'000));
  EXPECT_EQ(queue.in_flight(), 1U);  // it asks for all
  EXPECT_GT(queue.bytes(), 0U);
  queue.on_offline();
  EXPECT_EQ(queue.in_flight(), 0U);
  queue.on_online(now);
  EXPECT_EQ(queue.in_flight(), 3U);
  queue.fail_all("end");
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(queue.next_wake(), SteadyTime::max());
}

}  // namespace
}  // namespace hongyan::client
