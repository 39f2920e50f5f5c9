#include "tools/bench/actors/crowd.h"

#include <gtest/gtest.h>

namespace hongyan::bench {
namespace {

// Two senders in a group of three; both have sent messages 0 and 1. No connection is open.
class CrowdTest : public testing::Test {
 protected:
  CrowdTest() {
    for (const char* uid : {"alice", "bob"}) {
      Sender& sender = crowd_.add_sender(uid, std::make_shared<Connection>(worker_.io));
      sender.begin(std::nullopt);
      senders_.push_back(&sender);
    }
    shared_.phase = Phase::kDrain;  // no more messages
  }

  void deliver(std::size_t member, int sender, std::uint32_t number) {
    std::string content;
    content_.fill(content, number);
    crowd_.delivered(member, id(sender, number), content, SteadyClock::now());
  }
  static std::string id(int sender, std::uint32_t number) {
    return "run-0-" + std::to_string(sender) + "-" + std::to_string(number);
  }
  void deliver_all(std::size_t member) {
    deliver(member, 0, 0);
    deliver(member, 1, 0);
    deliver(member, 1, 1);
    deliver(member, 0, 1);
  }
  void acknowledge_all() {
    client::C2CSendResp response;
    response.set_msg_id(1);
    const std::string body = response.SerializeAsString();
    for (Sender* sender : senders_) {
      for (std::uint32_t number = 0; number < 2; ++number) {
        net::Packet packet;
        packet.header.cmd_id = client::COMMAND_C2G_SEND;
        packet.header.seq = 16 + number;
        packet.body = body;
        sender->take(packet);
      }
    }
  }
  Faults faults() { return crowd_.faults(); }

  const Content content_{40};
  Shared shared_;
  Worker worker_{0};
  Crowd crowd_{{.id = "run-0-", .group_id = 7, .members = 3, .window = 2}, content_, worker_, shared_};
  std::vector<Sender*> senders_;
};

TEST_F(CrowdTest, FindsNothingWhereNothingIsWrong) {
  acknowledge_all();
  for (std::size_t member = 0; member < 3; ++member) deliver_all(member);
  EXPECT_TRUE(faults().none());
  EXPECT_EQ(crowd_.deliveries(), 12U);
  EXPECT_EQ(shared_.finished, 4U);
  for (const Sender* sender : senders_) EXPECT_TRUE(sender->window().idle());
}

TEST_F(CrowdTest, AMessageIsUnderWayUntilEveryMemberHasIt) {
  acknowledge_all();
  deliver_all(0);
  deliver_all(2);
  EXPECT_EQ(shared_.finished, 0U);
  EXPECT_EQ(faults(), Faults{.lost = 4});
  deliver(1, 0, 0);
  EXPECT_EQ(shared_.finished, 1U);
  EXPECT_EQ(faults(), Faults{.lost = 3});
}

TEST_F(CrowdTest, SeesWhatNobodyGot) {
  acknowledge_all();
  for (std::size_t member = 0; member < 3; ++member) deliver(member, 0, 0);
  EXPECT_EQ(faults(), Faults{.lost = 3});
}

TEST_F(CrowdTest, SeesWhatWasNeverAnswered) {
  for (std::size_t member = 0; member < 3; ++member) deliver_all(member);
  EXPECT_EQ(faults(), Faults{.unanswered = 4});
  EXPECT_EQ(shared_.finished, 0U);
}

TEST_F(CrowdTest, SeesADuplicate) {
  acknowledge_all();
  for (std::size_t member = 0; member < 3; ++member) deliver_all(member);
  deliver(1, 1, 0);
  EXPECT_EQ(faults(), Faults{.duplicates = 1});
}

TEST_F(CrowdTest, SeesAnotherOrder) {
  acknowledge_all();
  deliver_all(0);
  deliver_all(1);
  deliver(2, 1, 0);  // each sender's own order is kept
  deliver(2, 0, 0);
  deliver(2, 1, 1);
  deliver(2, 0, 1);
  const Faults seen = faults();
  EXPECT_EQ(seen.out_of_order, 1U);
  EXPECT_EQ(seen.lost, 1U);  // what it skipped, and got late
  EXPECT_EQ(seen.duplicates, 1U);
}

TEST_F(CrowdTest, SeesASendersOrderBroken) {
  acknowledge_all();
  for (std::size_t member = 0; member < 3; ++member) {
    deliver(member, 0, 1);
    deliver(member, 0, 0);
    deliver(member, 1, 0);
    deliver(member, 1, 1);
  }
  EXPECT_EQ(faults(), Faults{.out_of_order = 1});
}

TEST_F(CrowdTest, SeesWhatNobodySent) {
  acknowledge_all();
  for (std::size_t member = 0; member < 3; ++member) deliver_all(member);
  std::string content;
  content_.fill(content, 0);
  const auto now = SteadyClock::now();
  crowd_.delivered(0, id(0, 0), content + "x", now);
  crowd_.delivered(0, id(0, 2), content, now);
  crowd_.delivered(0, id(2, 0), content, now);
  crowd_.delivered(0, "other-0-0-0", content, now);
  crowd_.delivered(0, "run-0-x-0", content, now);
  crowd_.delivered(0, "", content, now);
  EXPECT_EQ(faults(), Faults{.changed = 6});
  crowd_.hole(5);
  EXPECT_EQ(faults().holes, 5U);
}

}  // namespace
}  // namespace hongyan::bench
