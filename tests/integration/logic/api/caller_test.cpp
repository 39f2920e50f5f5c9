// The server API's calls against fake owners over real links on loopback.
#include "logic/api/caller.h"

#include <gtest/gtest.h>

#include "proto/internal.pb.h"
#include "tests/support/fake_logic.h"
#include "tests/support/run_on.h"

namespace hongyan::logic {
namespace {

using test::FakeLogic;
using test::LogicPacket;

constexpr Slot kSlot = 42;

class CallerTest : public ::testing::Test {
 protected:
  CallerTest() {
    caller_.start();
    loop_.start();
  }
  ~CallerTest() override {
    loop_.stop();
    loop_.join();
  }

  void know(const std::vector<const FakeLogic*>& nodes) {
    loop_.post([this, members = test::members_of(nodes)] { caller_.set_nodes(members); });
  }
  static Call call_for(Slot slot, bool changes = true) {
    return {.app_id = "demo",
            .uid = "alice",
            .slot = slot,
            .command = internal::COMMAND_S2C_STORE,
            .body = "body",
            .changes = changes};
  }
  Result<std::string> call(bool changes = true) {
    return test::run_on(loop_, caller_.call(call_for(kSlot, changes)));
  }

  link::Identity identity_{
      .role = link::ROLE_LOGIC, .node_id = "logic-9", .boot_id = 9, .secret = test::kClusterSecret};
  net::EventLoop loop_{"caller"};
  Caller caller_{loop_, identity_, {.router = {.request_deadline = Milliseconds(1500)}}};
};

TEST_F(CallerTest, AsksTheOwnerAndBringsItsAnswer) {
  FakeLogic owner;
  FakeLogic other("logic-2");
  owner.own(0, kSlotCount - 1, 5);
  other.own_nothing();
  know({&owner, &other});
  EXPECT_EQ(call().value(), "OK");
  const LogicPacket packet = owner.take_request(internal::COMMAND_S2C_STORE);
  EXPECT_EQ(packet.request.app_id(), "demo");
  EXPECT_EQ(packet.request.uid(), "alice");
  EXPECT_EQ(packet.slot, kSlot);
  EXPECT_EQ(packet.payload, "body");
  EXPECT_EQ(packet.link->peer().role, link::ROLE_LOGIC);
}

TEST_F(CallerTest, BringsTheOwnersRefusal) {
  FakeLogic owner;
  owner.own(0, kSlotCount - 1, 5);
  owner.answer_with([](FakeLogic& logic, const LogicPacket& packet) {
    client::ErrorOnly body;
    body.mutable_error()->set_code(client::ERROR_CODE_UNAVAILABLE);
    body.mutable_error()->set_message("storage is away");
    body.mutable_error()->set_retry_after_ms(500);
    logic.respond(packet, body.SerializeAsString(), true);
  });
  know({&owner});
  const auto answer = call();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(answer.error().message, "storage is away");
  EXPECT_EQ(answer.error().retry_after_ms, 500U);
}

TEST_F(CallerTest, ManyCallsKeepTheirPlaces) {
  FakeLogic owner;
  owner.own(0, kSlotCount - 1, 5);
  owner.answer_with([](FakeLogic& logic, const LogicPacket& packet) {
    logic.respond(packet, std::to_string(packet.slot));
  });
  know({&owner});
  std::vector<Call> calls;
  for (std::uint32_t slot = 0; slot < kSlotCount; ++slot) calls.push_back(call_for(static_cast<Slot>(slot)));
  const auto answers = test::run_on(loop_, caller_.call_all(std::move(calls)));
  ASSERT_EQ(answers.size(), kSlotCount);
  for (std::uint32_t slot = 0; slot < kSlotCount; ++slot)
    EXPECT_EQ(answers[slot].value(), std::to_string(slot));
  EXPECT_TRUE(test::run_on(loop_, caller_.call_all({})).empty());
}

TEST_F(CallerTest, FollowsTheOwner) {
  FakeLogic first;
  FakeLogic second("logic-2");
  first.own(0, kSlotCount - 1, 5);
  second.own_nothing();
  // Takes it, and says nothing: another has taken over.
  first.answer_with([&second](FakeLogic&, const LogicPacket&) { second.own(0, kSlotCount - 1, 6); });
  know({&first, &second});
  EXPECT_EQ(call().value(), "OK");
  EXPECT_EQ(first.take_request(internal::COMMAND_S2C_STORE).slot, kSlot);
  EXPECT_EQ(second.take_request(internal::COMMAND_S2C_STORE).slot, kSlot);
}

TEST_F(CallerTest, EndsAtTheDeadline) {
  EXPECT_EQ(call().error().code, Code::kUnavailable) << "nobody could have taken it";
  FakeLogic silent;
  silent.own(0, kSlotCount - 1, 5);
  silent.answer_with([](FakeLogic&, const LogicPacket&) {});
  know({&silent});
  EXPECT_EQ(call().error().code, Code::kDeadlineExceeded) << "its outcome is unknown";
}

}  // namespace
}  // namespace hongyan::logic
