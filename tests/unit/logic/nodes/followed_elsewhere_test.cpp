// Large groups whose owner is another node.
#include <memory>
#include <string>
#include <vector>

#include "logic/message/group_key.h"
#include "proto/nodes.pb.h"
#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {
namespace {

constexpr owners::NodeId kNode = 5;
constexpr std::int64_t kGroup = 4711;

class OwnersEnd : public PeerPort {
 public:
  [[nodiscard]] bool is_open() const noexcept override { return true; }
  [[nodiscard]] bool send(link::LinkCommand command, Slot,
                          const google::protobuf::MessageLite& message) override {
    if (command != link::LINK_COMMAND_NODE_ASK) return true;
    nodes::Ask ask;
    EXPECT_TRUE(ask.ParseFromString(message.SerializeAsString()));
    asks.push_back(std::move(ask));
    return true;
  }
  void close(std::string_view) override {}
  std::vector<nodes::Ask> asks;
};

class FollowedElsewhereTest : public GroupsHarness {
 protected:
  FollowedElsewhereTest() {
    shard_of("bob").memberships[{"demo", "bob"}][{kGroup, 1}] = {
        .group_id = kGroup, .changed_seq = 1, .joined_seq = 1, .left_seq = 0, .large_from_seq = 2};
    connect(kNode, 2);
  }

  void connect(owners::NodeId node, std::uint64_t epoch) {
    nodes::Hello hello;
    hello.set_threads(2);
    link::Slots slots;
    auto& range = *slots.add_ranges();
    range.set_first(slot_of_group("demo", kGroup));
    range.set_last(range.first());
    range.set_epoch(epoch);
    thread_of("bob").node_up(node, wire_);
    from(node, link::LINK_COMMAND_NODE_HELLO, hello);
    from(node, link::LINK_COMMAND_SLOTS, slots);
  }
  void from(owners::NodeId node, link::LinkCommand command, const google::protobuf::MessageLite& message) {
    const std::string bytes = message.SerializeAsString();
    Pipeline& thread = thread_of("bob");
    EXPECT_TRUE(
        thread.from_node(node, {.command = command, .seq = 0, .slot = 0, .envelope = bytes, .payload = {}}));
    thread.end_turn();
    settle();
  }
  void answer_all(owners::NodeId node, std::int64_t head) {
    pass(Milliseconds(100));
    for (const auto& ask : std::exchange(wire_->asks, {})) {
      EXPECT_TRUE(ask.follow());
      EXPECT_EQ(ask.group_id(), kGroup);
      nodes::Reply reply;
      reply.set_number(ask.number());
      reply.set_head(head);
      from(node, link::LINK_COMMAND_NODE_REPLY, reply);
    }
  }
  void news(owners::NodeId node, std::int64_t seq, const std::vector<std::string>& left = {}) {
    nodes::News news;
    news.set_app_id("demo");
    news.set_group_id(kGroup);
    news.set_group_seq(seq);
    news.set_cmd_id(client::COMMAND_C2G_PUSH);
    news.set_body("said");
    for (const auto& uid : left) news.add_left(uid);
    from(node, link::LINK_COMMAND_NODE_NEWS, news);
  }
  std::vector<std::uint32_t> heard_by_bob() {
    std::vector<std::uint32_t> out;
    for (const auto& push : gate_->pushes) out.push_back(push.cmd_id);
    gate_->pushes.clear();
    return out;
  }
  using Commands = std::vector<std::uint32_t>;

  std::shared_ptr<OwnersEnd> wire_ = std::make_shared<OwnersEnd>();
};

TEST_F(FollowedElsewhereTest, WhoLogsInFollowsAndIsPushed) {
  come_online("bob");
  answer_all(kNode, 5);
  heard_by_bob();
  news(kNode, 6);
  EXPECT_EQ(heard_by_bob(), Commands{client::COMMAND_C2G_PUSH});
  come_online("bob");
  pass(Milliseconds(200));
  EXPECT_TRUE(wire_->asks.empty()) << "it is followed already";
}

// A gate tells of it before anything is known of the user.
TEST_F(FollowedElsewhereTest, WhoIsAnnouncedFollowsAndIsPushed) {
  tell(gate_, session_of("bob", channel_of("bob"), 1), true);
  answer_all(kNode, 5);
  heard_by_bob();
  news(kNode, 6);
  EXPECT_EQ(heard_by_bob(), Commands{client::COMMAND_C2G_PUSH});
}

TEST_F(FollowedElsewhereTest, WhoHasLeftHearsNoMore) {
  come_online("bob");
  answer_all(kNode, 5);
  heard_by_bob();
  news(kNode, 6, {"bob"});
  news(kNode, 7);
  EXPECT_EQ(heard_by_bob(), Commands{});
}

TEST_F(FollowedElsewhereTest, ALostLinkMakesWhatIsKnownOldAndWhoIsBehindIsTold) {
  come_online("bob");
  answer_all(kNode, 5);
  thread_of("bob").node_down(kNode);
  thread_of("bob").end_turn();
  connect(kNode + 1, 2);
  heard_by_bob();
  news(kNode, 6);
  EXPECT_EQ(heard_by_bob(), Commands{}) << "it is of a link that is gone";
  answer_all(kNode + 1, 9);
  EXPECT_EQ(heard_by_bob(), Commands{client::COMMAND_SYNC_NOTIFY});
  news(kNode + 1, 10);
  EXPECT_EQ(heard_by_bob(), Commands{client::COMMAND_C2G_PUSH});
}

TEST_F(FollowedElsewhereTest, AQuestionThatIsNotAnsweredEndsInTime) {
  come_online("bob");
  ctrl(7, "bob", client::CTRL_TYPE_GET_GROUP, kGroup);
  EXPECT_EQ(gate_->answer(7), nullptr);
  pass(GroupAsks::kPatience);
  EXPECT_EQ(error_of(7), client::ERROR_CODE_UNAVAILABLE);
}

}  // namespace
}  // namespace hongyan::logic
