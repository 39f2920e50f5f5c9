#include "gate/session/proto_glance.h"

#include <gtest/gtest.h>

#include <random>

#include "proto/client.pb.h"

namespace hongyan::gate {
namespace {

TEST(ProtoGlanceTest, AcceptsRealMessages) {
  client::C2CSendReq send;
  send.set_from("alice");
  send.set_to("bob");
  send.set_content(std::string("\0\xff", 2));
  send.set_msg_type(-1);
  EXPECT_TRUE(well_formed(send.SerializeAsString()));
  EXPECT_TRUE(well_formed(""));
}

TEST(ProtoGlanceTest, RefusesWhatProtobufRefuses) {
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

TEST(ProtoGlanceTest, AgreesWithProtobufOnNoise) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    // Ours is stricter only about groups.
    std::int64_t seq = 0;
    client::PushAck ack;
    EXPECT_EQ(read_push_ack(bytes, seq), well_formed(bytes)) << i;
    if (!well_formed(bytes)) continue;
    EXPECT_TRUE(ack.ParseFromString(bytes)) << i;
    EXPECT_EQ(seq, ack.seq()) << i;
  }
}

TEST(ProtoGlanceTest, ReadsTheSeqOfAPushAck) {
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

}  // namespace
}  // namespace hongyan::gate
