#include "gate/session/proto_glance.h"

#include <gtest/gtest.h>

#include <random>

#include "gate/session/protocol.h"
#include "proto/client.pb.h"

namespace hongyan::gate {
namespace {

TEST(WireTest, AcceptsRealMessages) {
  client::C2CSendReq send;
  send.set_from("alice");
  send.set_to("bob");
  send.set_content(std::string("\0\xff", 2));
  send.set_msg_type(-1);
  EXPECT_TRUE(well_formed(send.SerializeAsString()));
  EXPECT_TRUE(well_formed(""));
}

TEST(WireTest, RefusesWhatProtobufRefuses) {
  EXPECT_FALSE(well_formed("\x0a"));                      // a length is missing
  EXPECT_FALSE(well_formed("\x0a\x05zz"));                // too short
  EXPECT_FALSE(well_formed(std::string("\x00\x01", 2)));  // field 0
  EXPECT_FALSE(well_formed("\x0f"));                      // wire type 7
  EXPECT_FALSE(
      well_formed("\x09"
                  "1234567"));  // 7 of 8 bytes
  EXPECT_FALSE(well_formed(std::string("\x08") + std::string(11, '\xff')));
  EXPECT_FALSE(well_formed("\x0b\x0c"));  // a group
}

TEST(WireTest, AgreesWithProtobufOnNoise) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    // Ours is stricter only about groups.
    if (well_formed(bytes)) {
      EXPECT_TRUE(client::PushAck().ParseFromString(bytes)) << i;
    }
  }
}

TEST(WireTest, ReadsTheSeqOfAPushAck) {
  client::PushAck ack;
  ack.set_msg_id(5);
  ack.set_seq(123456789012);
  ack.set_outbox_seq(9);
  std::int64_t seq = -1;
  EXPECT_TRUE(read_push_ack(ack.SerializeAsString(), seq));
  EXPECT_EQ(seq, 123456789012);
  EXPECT_TRUE(read_push_ack("", seq));
  EXPECT_EQ(seq, 0);
  EXPECT_FALSE(read_push_ack("\x10", seq));
  client::PushAck of_group;  // of a large group: says nothing about the inbox
  of_group.set_group_id(7);
  of_group.set_group_seq(99);
  EXPECT_TRUE(read_push_ack(of_group.SerializeAsString(), seq));
  EXPECT_EQ(seq, 0);
}

TEST(CommandsTest, ChecksALogin) {
  client::AuthReq auth;
  EXPECT_FALSE(check_auth(auth).has_value());
  auth.set_uid("alice");
  EXPECT_EQ(check_auth(auth)->app_id, "default");
  auth.set_app_id(std::string(64, 'a'));
  auth.set_uid(std::string(128, 'u'));
  auth.set_device_id(std::string(128, 'd'));
  EXPECT_TRUE(check_auth(auth).has_value());
  auth.set_app_id(std::string(65, 'a'));
  EXPECT_EQ(check_auth(auth).error().code, Code::kBadRequest);
  auth.set_app_id("demo");
  auth.set_uid(std::string(129, 'u'));
  EXPECT_FALSE(check_auth(auth).has_value());
  auth.set_uid(std::string("a\0b", 3));
  EXPECT_FALSE(check_auth(auth).has_value());
  auth.set_uid("alice");
  auth.set_device_id(std::string(129, 'd'));
  EXPECT_FALSE(check_auth(auth).has_value());
}

TEST(CommandsTest, KnowsTheKinds) {
  EXPECT_EQ(command_kind(1), CommandKind::kAuth);
  for (const std::uint32_t request : {2, 10, 30, 40, 50, 60, 70}) {
    EXPECT_EQ(command_kind(request), CommandKind::kRequest) << request;
  }
  for (const std::uint32_t push : {20, 31, 41, 52, 61}) {
    EXPECT_EQ(command_kind(push), CommandKind::kAck) << push;
  }
  EXPECT_EQ(command_kind(51), CommandKind::kServerOnly);
  EXPECT_EQ(command_kind(243), CommandKind::kIgnored);
  EXPECT_EQ(command_kind(0), CommandKind::kUnknown);
  EXPECT_EQ(command_kind(0xFFFFFFFF), CommandKind::kUnknown);
}

}  // namespace
}  // namespace hongyan::gate
