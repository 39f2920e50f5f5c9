#include "logic/user/events.h"

#include <gtest/gtest.h>

#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {
namespace {

class EventsTest : public PipelineHarness {
 protected:
  EventsTest() { acquire(); }
  // "login alice", "logout alice REASON", "undelivered alice SEQ": since the last call.
  std::vector<std::string> told() {
    std::vector<std::string> out;
    for (const auto& event : std::exchange(events_.all, {})) {
      switch (event.kind) {
        case Event::Kind::kLogin:
          out.push_back("login " + event.uid);
          break;
        case Event::Kind::kLogout:
          out.push_back("logout " + event.uid + " " + std::string(event.reason));
          break;
        case Event::Kind::kStored:
          out.push_back("stored " + event.uid + " " + event.message.to + " " + std::to_string(event.seq));
          break;
        case Event::Kind::kUndelivered:
          out.push_back("undelivered " + event.uid + " " + std::to_string(event.seq));
          break;
      }
    }
    return out;
  }
  using Told = std::vector<std::string>;
};

TEST_F(EventsTest, TellsLoginAndLogoutOfOneSession) {
  login(1, "alice", 7, 2, "phone");
  settle();
  ASSERT_EQ(events_.all.size(), 1U);
  const Event in = events_.all[0];
  EXPECT_EQ(in.kind, Event::Kind::kLogin);
  EXPECT_EQ(in.app_id, "demo");
  EXPECT_EQ(in.uid, "alice");
  EXPECT_EQ(in.device_type, 2U);
  EXPECT_EQ(in.device_id, "phone");
  EXPECT_EQ(in.gate, "gate-1");
  EXPECT_EQ(in.session_id, body_of<client::AuthResp>(1).session_id());
  EXPECT_GT(in.id, 0);
  request(gate_, 2, "alice", client::COMMAND_LOGOUT, client::LogoutReq().SerializeAsString(), 7);
  ASSERT_EQ(events_.all.size(), 2U);
  EXPECT_EQ(events_.all[1].session_id, in.session_id);
  EXPECT_NE(events_.all[1].id, in.id);
  thread_of("alice").session_closed(*gate_, 7);  // what the gate says afterwards
  EXPECT_EQ(told(), (Told{"login alice", "logout alice logout"}));
}

TEST_F(EventsTest, TellsOfStoredMessagesWhenAsked) {
  send(1, "alice", "bob", "id-1");
  settle();
  EXPECT_EQ(told(), Told{});
  for (auto& thread : threads_) thread->context().stored_events = true;
  send(2, "alice", "bob", "id-2");
  send(3, "alice", "bob", "id-1");  // stored before
  settle();
  ASSERT_EQ(events_.all.size(), 1U);
  EXPECT_EQ(events_.all[0].message.id, body_of<client::C2CSendResp>(2).msg_id());
  EXPECT_EQ(events_.all[0].message.client_msg_id, "id-2");
  EXPECT_EQ(events_.all[0].message.command, client::COMMAND_C2C_SEND);
  EXPECT_EQ(told(), Told{"stored alice bob 2"});
}

TEST_F(EventsTest, SaysWhyASessionEnded) {
  login(1, "alice", 1);
  settle();
  thread_of("alice").session_closed(*gate_, 1);
  EXPECT_EQ(told(), (Told{"login alice", "logout alice connection_lost"}));

  login(2, "alice", 2, 1, "phone-a");
  settle();
  login(3, "alice", 3, 1, "phone-a");  // the phone changed networks
  settle();
  confirm(3, "alice", 3);
  EXPECT_EQ(told(), (Told{"login alice", "logout alice replaced", "login alice"}));
  login(4, "alice", 4, 1, "phone-b");
  settle();
  confirm(4, "alice", 4);
  EXPECT_EQ(told(), (Told{"logout alice other_login", "login alice"}));

  for (auto& thread : threads_) thread->gate_down(gate_);
  EXPECT_EQ(told(), Told{});
  pass(config_.gate_grace);
  EXPECT_EQ(told(), Told{"logout alice gate_lost"});
}

TEST_F(EventsTest, ARefusedLoginIsNoEvent) {
  login(1, "alice", 1, 1, "d", "bad");
  settle();
  EXPECT_EQ(told(), Told{});
}

TEST_F(EventsTest, ASessionAnnouncedAgainIsNoEvent) {
  login(1, "alice", 1);
  settle();
  link::Sessions message;
  message.set_announce(true);
  auto& session = *message.add_sessions();
  session.set_app_id("demo");
  session.set_uid("alice");
  session.set_channel(1);
  session.set_device_type(1);
  session.set_login_epoch(gate_->answer(1)->login_epoch);
  thread_of("alice").sessions(gate_, message);
  settle();
  EXPECT_EQ(told(), Told{"login alice"});
}

TEST_F(EventsTest, TellsWhatWasNotAcknowledgedAfterTheResend) {
  login(1, "bob", 1);
  settle();
  send(2, "alice", "bob", "id-1");
  send(3, "alice", "bob", "id-2");
  settle();
  static_cast<void>(told());
  ack("bob", 1, 1);
  pass(config_.ack_timeout);
  EXPECT_EQ(told(), Told{});
  pass(config_.ack_timeout);
  ASSERT_EQ(events_.all.size(), 1U);
  EXPECT_EQ(events_.all[0].message.id, body_of<client::C2CSendResp>(3).msg_id());
  EXPECT_EQ(told(), Told{"undelivered bob 2"});
  pass(config_.ack_timeout);
  EXPECT_EQ(told(), Told{});
}

}  // namespace
}  // namespace hongyan::logic
