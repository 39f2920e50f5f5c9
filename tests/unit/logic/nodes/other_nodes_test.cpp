// Two slot threads of different nodes over a wire of packets that can be kept back.
#include "logic/nodes/other_nodes.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "logic/nodes/node_calls.h"
#include "tests/unit/logic/user/bare_context.h"

namespace hongyan::logic {
namespace {

constexpr owners::NodeId kNode = 5;
constexpr Slot kSource = 7;

class Wire : public PeerPort {
 public:
  struct Packet {
    link::LinkCommand command;
    Slot slot;
    std::string envelope;
  };
  [[nodiscard]] bool is_open() const noexcept override { return open; }
  [[nodiscard]] bool send(link::LinkCommand command, Slot slot,
                          const google::protobuf::MessageLite& envelope) override {
    if (open) packets.push_back({command, slot, envelope.SerializeAsString()});
    return open;
  }
  void close(std::string_view) override { open = false; }

  bool open = true;
  std::deque<Packet> packets;
};

class OtherNodesTest : public ::testing::Test, private NodeListener {
 protected:
  OtherNodesTest() {
    nodes_.up(kNode, wire_);
    nodes::Hello hello;
    hello.set_threads(3);
    EXPECT_TRUE(take(link::LINK_COMMAND_NODE_HELLO, hello));
    link::Slots slots;
    auto& range = *slots.add_ranges();
    range.set_last(kSlotCount - 1);
    range.set_epoch(4);
    EXPECT_TRUE(take(link::LINK_COMMAND_SLOTS, slots));
  }

  Status take(link::LinkCommand command, const google::protobuf::MessageLite& envelope) {
    const std::string bytes = envelope.SerializeAsString();
    return nodes_.take(kNode, {.command = command, .seq = 0, .slot = 0, .envelope = bytes, .payload = {}});
  }
  static LaneBatch batch(std::uint64_t number, std::vector<std::string> contents,
                         const std::string& to = "bob") {
    LaneBatch made{.id = {.lane = {.source = kSource, .destination = slot_of("demo", to)},
                          .source_epoch = 2,
                          .number = number},
                   .source = {},
                   .works = {}};
    for (auto& content : contents) {
      Message message{.id = static_cast<MsgId>(number * 100 + made.works.size()),
                      .from = "alice",
                      .to = to,
                      .client_msg_id = "c",
                      .content = share(std::move(content)),
                      .sent_ms = 99,
                      .command = client::COMMAND_C2C_SEND,
                      .type = 3};
      made.works.push_back(deliver("demo", std::move(message)));
      made.works.back()->lane_index = made.works.size() - 1;
    }
    return made;
  }
  nodes::FanOut sent() {
    nodes::FanOut packet;
    EXPECT_EQ(wire_->packets.front().command, link::LINK_COMMAND_NODE_FANOUT);
    EXPECT_TRUE(packet.ParseFromString(wire_->packets.front().envelope));
    wire_->packets.pop_front();
    return packet;
  }
  static nodes::FanOutResult stored(const BatchId& id, std::size_t rows) {
    nodes::FanOutResult results;
    auto& lane = *results.add_lanes();
    lane.set_source(id.lane.source);
    lane.set_destination(id.lane.destination);
    lane.set_source_epoch(id.source_epoch);
    lane.set_number(id.number);
    lane.set_outcomes(std::string(rows, '\1'));
    return results;
  }

  void lane_result(LaneResult result) override { results_.push_back(std::move(result)); }
  void group_reply(GroupReply reply) override { replies_.push_back(std::move(reply)); }
  void group_news(owners::NodeId, const GroupBroadcast& message) override { news_.push_back(message); }
  void owners_changed(std::span<const Slot> slots) override { changed_ += slots.size(); }
  void asks_lost(owners::NodeId node) override { lost_.push_back(node); }

  BareContext bare_;
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  OtherNodes nodes_{bare_.context, *this};
  std::vector<LaneResult> results_;
  std::vector<GroupReply> replies_;
  std::vector<GroupBroadcast> news_;
  std::size_t changed_ = 0;
  std::vector<owners::NodeId> lost_;
};

TEST_F(OtherNodesTest, BatchesOfATurnGoAsOnePacketThatSaysEverythingOnce) {
  const auto content = share("to many");
  auto first = batch(1, {"x", "y"});
  first.works[0]->message.content = first.works[1]->message.content = content;
  auto second = batch(2, {"z"});
  second.id.lane.source = kSource + 1;
  second.works[0]->message.content = content;
  nodes_.send(std::move(first));
  nodes_.send(std::move(second));
  EXPECT_TRUE(wire_->packets.empty());
  nodes_.flush();
  ASSERT_EQ(wire_->packets.size(), 1U);
  auto packet = sent();
  ASSERT_EQ(packet.contents_size(), 1);
  const auto read = read_fan_out(packet);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  const LaneBatch& lane = read->front();
  EXPECT_EQ(lane.id, batch(1, {}).id);
  ASSERT_EQ(lane.works.size(), 2U);
  const Message& message = lane.works[1]->message;
  EXPECT_EQ(message.id, 101);
  EXPECT_EQ(message.from, "alice");
  EXPECT_EQ(*message.content, "to many");
  EXPECT_EQ(message.sent_ms, 99);
  EXPECT_EQ(message.type, 3);
  EXPECT_EQ(lane.works[1]->user.uid, "bob");
  EXPECT_EQ(lane.works[1]->lane_index, 1U);
}

TEST_F(OtherNodesTest, ThreadsOfTheOtherNodeGetPacketsOfTheirOwn) {
  std::string elsewhere = "carol";
  while (slot_of("demo", elsewhere) % 3 == slot_of("demo", "bob") % 3) elsewhere += "x";
  nodes_.send(batch(1, {"x"}));
  nodes_.send(batch(2, {"y"}, elsewhere));
  nodes_.flush();
  EXPECT_EQ(wire_->packets.size(), 2U);
  for (const auto& packet : wire_->packets) {
    nodes::FanOut lanes;
    ASSERT_TRUE(lanes.ParseFromString(packet.envelope));
    for (const auto& lane : lanes.lanes()) EXPECT_EQ(lane.destination() % 3, packet.slot % 3U);
  }
}

TEST_F(OtherNodesTest, AResultBringsTheWorksBackWithTheirOutcomes) {
  nodes_.send(batch(1, {"x", "y"}));
  nodes_.flush();
  auto results = stored(batch(1, {}).id, 2);
  (*results.mutable_lanes(0)->mutable_outcomes())[1] = 0;
  EXPECT_TRUE(take(link::LINK_COMMAND_NODE_RESULT, results));
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].fate, BatchFate::kTried);
  EXPECT_EQ(results_[0].works[0]->outcome, StoreWork::Outcome::kStored);
  EXPECT_EQ(results_[0].works[1]->outcome, StoreWork::Outcome::kRefused);
  EXPECT_EQ(nodes_.outstanding(), 0U);
}

TEST_F(OtherNodesTest, AResultOfAnotherTenureIsNone) {
  nodes_.send(batch(1, {"x"}));
  nodes_.flush();
  auto id = batch(1, {}).id;
  id.source_epoch = 1;
  EXPECT_TRUE(take(link::LINK_COMMAND_NODE_RESULT, stored(id, 1)));
  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(nodes_.outstanding(), 1U);
}

TEST_F(OtherNodesTest, AResultWithTooFewOutcomesIsABadPacket) {
  nodes_.send(batch(1, {"x", "y"}));
  nodes_.flush();
  EXPECT_FALSE(take(link::LINK_COMMAND_NODE_RESULT, stored(batch(1, {}).id, 1)));
  EXPECT_TRUE(results_.empty());
}

TEST_F(OtherNodesTest, WhatWasOnALinkThatWentDownIsLost) {
  nodes_.send(batch(1, {"x"}));
  nodes_.flush();
  changed_ = 0;
  nodes_.down(kNode);
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].fate, BatchFate::kLost);
  EXPECT_EQ(lost_, std::vector<owners::NodeId>{kNode});
  EXPECT_EQ(changed_, kSlotCount);
  EXPECT_FALSE(bare_.context.owners.elsewhere(kSource));
}

TEST_F(OtherNodesTest, WhatIsNotAnsweredInTimeIsLost) {
  nodes_.send(batch(1, {"x"}));
  nodes_.flush();
  bare_.now += OtherNodes::kPatience - Milliseconds(1);
  nodes_.tick();
  EXPECT_TRUE(results_.empty());
  bare_.now += Milliseconds(1);
  nodes_.tick();
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].fate, BatchFate::kLost);
  // Its result, late.
  EXPECT_TRUE(take(link::LINK_COMMAND_NODE_RESULT, stored(batch(1, {}).id, 1)));
  EXPECT_EQ(results_.size(), 1U);
}

TEST_F(OtherNodesTest, WhatALinkDoesNotTakeWasNotTried) {
  wire_->open = false;
  nodes_.send(batch(1, {"x"}));
  nodes_.flush();
  ASSERT_EQ(results_.size(), 1U);
  EXPECT_EQ(results_[0].fate, BatchFate::kRefused);
}

TEST_F(OtherNodesTest, PacketsThatMakeNoSenseAreErrors) {
  link::Slots slots;
  slots.add_ranges()->set_last(kSlotCount);
  EXPECT_FALSE(take(link::LINK_COMMAND_SLOTS, slots));
  EXPECT_FALSE(take(link::LINK_COMMAND_NODE_HELLO, nodes::Hello()));
  nodes::FanOut packet;
  auto& lane = *packet.add_lanes();
  lane.set_source(kSource);
  lane.set_destination(slot_of("demo", "bob"));
  EXPECT_FALSE(read_fan_out(packet));  // no rows
  auto& row = *lane.add_rows();
  row.set_app_id("demo");
  row.set_to("bob");
  row.set_content(1);
  EXPECT_FALSE(read_fan_out(packet));  // no such content
  packet.add_contents("hi");
  EXPECT_TRUE(read_fan_out(packet));
  lane.set_destination(lane.destination() ^ 1U);
  EXPECT_FALSE(read_fan_out(packet));  // not bob's slot
}

TEST_F(OtherNodesTest, NewsAndRepliesComeAsTheyWereSent) {
  const GroupBroadcast message{.group = {.app_id = "demo", .group_id = 12},
                               .group_seq = 4,
                               .msg_id = 77,
                               .cmd_id = client::COMMAND_C2G_SEND,
                               .body = share("body"),
                               .audience = nullptr,
                               .members = 9,
                               .joined = {"new"},
                               .left = {"old"}};
  nodes::News news;
  write(news, message);
  EXPECT_TRUE(take(link::LINK_COMMAND_NODE_NEWS, news));
  ASSERT_EQ(news_.size(), 1U);
  EXPECT_EQ(news_[0].group, message.group);
  EXPECT_EQ(news_[0].group_seq, 4);
  EXPECT_EQ(*news_[0].body, "body");
  EXPECT_EQ(news_[0].left, message.left);
  GroupReply reply{.number = 3, .error = {Code::kNotFound, "none", 5}, .head = 8, .members = 2, .result = {}};
  nodes::Reply packet;
  write(packet, reply);
  EXPECT_TRUE(take(link::LINK_COMMAND_NODE_REPLY, packet));
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(replies_[0].error.code, Code::kNotFound);
  EXPECT_EQ(replies_[0].head, 8);
  EXPECT_EQ(replies_[0].from, kNode);
}

}  // namespace
}  // namespace hongyan::logic
