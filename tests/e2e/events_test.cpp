// Logins, logouts and undelivered pushes stand in Kafka as docs/protocol.md says.
#include <gtest/gtest.h>

#include "tests/e2e/event_log.h"
#include "tests/e2e/gate_client.h"
#include "tests/e2e/test_client.h"

namespace hongyan::e2e {
namespace {

using std::chrono::seconds;

// Waits until the user's events have these types.
::testing::AssertionResult has_events(const std::string& uid, const std::vector<std::string>& types) {
  std::vector<std::string> found;
  const bool there = tools::eventually(
      [&] {
        found.clear();
        for (const auto& event : events_of(uid)) found.push_back(event["type"]);
        return found == types;
      },
      seconds(30));
  if (there) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << uid << " has the events " << ::testing::PrintToString(found);
}

TEST(EventsTest, LoginAndLogout) {
  const std::string uid = tools::unique("alice");
  client::ClientOptions options;
  options.device_id = "my-phone";
  options.device_type = client::DEVICE_TYPE_IOS;
  {
    TestClient alice(uid, options);
    alice.start();
    ASSERT_TRUE(alice.wait_online());
    alice.stop();
  }
  ASSERT_TRUE(has_events(uid, {"hongyan.login.v1", "hongyan.logout.v1"}));
  const auto events = events_of(uid);
  EXPECT_EQ(events[0]["specversion"], "1.0");
  EXPECT_EQ(events[0]["source"], "/apps/demo");
  EXPECT_EQ(events[0]["subject"], uid);
  EXPECT_EQ(events[0]["data"]["device_id"], "my-phone");
  EXPECT_EQ(events[0]["data"]["device_type"], "IOS");
  EXPECT_EQ(events[1]["data"]["reason"], "logout");
  EXPECT_EQ(events[1]["data"]["session_id"], events[0]["data"]["session_id"]);
  EXPECT_NE(events[1]["id"], events[0]["id"]);
}

TEST(EventsTest, LostConnectionAndOtherLogin) {
  const std::string uid = tools::unique("bob");
  {
    client::ClientOptions options;
    options.device_id = "old-phone";
    TestClient first(uid, options);
    first.start();
    ASSERT_TRUE(first.wait_online());
    options.device_id = "new-phone";
    TestClient second(uid, options);
    second.start();
    ASSERT_TRUE(second.wait_online());
    EXPECT_TRUE(tools::eventually([&first] { return first.kicks().size() == 1; }));
  }  // the second is cut without a word
  ASSERT_TRUE(
      has_events(uid, {"hongyan.login.v1", "hongyan.logout.v1", "hongyan.login.v1", "hongyan.logout.v1"}));
  EXPECT_EQ(events_of(uid)[1]["data"]["reason"], "other_login");
  EXPECT_EQ(events_of(uid)[3]["data"]["reason"], "connection_lost");
}

TEST(EventsTest, UndeliveredAfterTheResend) {
  const std::string uid = tools::unique("silent");
  GateClient silent;
  ASSERT_FALSE(silent.login(uid, tools::Cluster::get().token(uid)).has_error());
  TestClient alice(tools::unique("alice"));
  alice.start();
  const auto receipt = alice.send(uid, "are you there?");
  ASSERT_TRUE(receipt) << receipt.error().message;
  for (int copies = 0; copies < 2;) {  // the push and its resend; not acknowledged
    const auto packet = silent.read(seconds(10));
    ASSERT_TRUE(packet);
    if (packet->header.cmd_id == client::COMMAND_C2C_PUSH) ++copies;
  }
  ASSERT_TRUE(has_events(uid, {"hongyan.login.v1", "hongyan.undelivered.v1"}));
  const auto event = events_of(uid)[1];
  EXPECT_EQ(event["data"]["msg_id"], std::to_string(receipt->msg_id));
  EXPECT_EQ(event["data"]["seq"], 1);
}

}  // namespace
}  // namespace hongyan::e2e
