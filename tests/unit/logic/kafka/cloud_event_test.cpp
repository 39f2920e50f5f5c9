#include "logic/kafka/cloud_event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "logic/kafka/events.h"
#include "logic/user/device_name.h"

namespace hongyan::logic {
namespace {

TEST(CloudEventTest, WritesTimes) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(1'706'745'599'007), "2024-01-31T23:59:59.007Z");
}

TEST(CloudEventTest, NamesDevices) {
  EXPECT_EQ(device_name(1), "IOS");
  EXPECT_EQ(device_name(7), "MINI_PROGRAM");
  EXPECT_EQ(device_name(99), "UNKNOWN");
}

TEST(CloudEventTest, IsJsonWithIdsAsText) {
  const Event event{.kind = Event::Kind::kUndelivered,
                    .id = 9'007'199'254'740'993,
                    .time_ms = 1'706'745'599'007,
                    .app_id = "demo",
                    .uid = "alice",
                    .session_id = 18'446'744'073'709'551'615U,
                    .device_type = 2,
                    .device_id = "phone \"7\"",
                    .gate = "gate-1",
                    .seq = 12,
                    .message = {.id = 9'007'199'254'740'995}};
  const auto json = nlohmann::json::parse(to_cloud_event(event));
  EXPECT_EQ(json, nlohmann::json::parse(R"({
    "specversion": "1.0", "id": "9007199254740993", "source": "/apps/demo", "type": "hongyan.undelivered.v1",
    "subject": "alice", "time": "2024-01-31T23:59:59.007Z", "datacontenttype": "application/json",
    "data": {"session_id": "18446744073709551615", "device_type": "ANDROID", "device_id": "phone \"7\"",
             "gate": "gate-1", "msg_id": "9007199254740995", "seq": 12}})"));
}

TEST(CloudEventTest, AStoredMessageNamesNoSession) {
  const Event event{
      .kind = Event::Kind::kStored,
      .id = 7,
      .app_id = "demo",
      .uid = "alice",
      .seq = 12,
      .message = {
          .id = 9'007'199'254'740'995, .to = "bob", .client_msg_id = "id-1", .command = 30, .type = -1}};
  const auto json = nlohmann::json::parse(to_cloud_event(event));
  EXPECT_EQ(json["type"], "hongyan.stored.v1");
  EXPECT_EQ(json["subject"], "alice");
  EXPECT_EQ(json["data"], nlohmann::json::parse(R"({
    "msg_id": "9007199254740995", "seq": 12, "cmd_id": 30, "msg_type": -1, "client_msg_id": "id-1", "to": "bob"})"));
}

TEST(CloudEventTest, SurvivesIdsThatAreNotUtf8) {
  const auto json = nlohmann::json::parse(
      to_cloud_event({.kind = Event::Kind::kLogout, .uid = "\xff", .device_id = "\xfe", .reason = "logout"}));
  EXPECT_EQ(json["subject"], "\xEF\xBF\xBD");
  EXPECT_EQ(json["type"], "hongyan.logout.v1");
  EXPECT_EQ(json["data"]["reason"], "logout");
}

}  // namespace
}  // namespace hongyan::logic
