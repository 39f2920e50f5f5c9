#include <fmt/format.h>

#include <future>

#include "tests/integration/logic/store/store_fixture.h"

namespace hongyan::testing {
namespace {

using Outcome = logic::WriterWork::Outcome;

class KeeperTest : public StoreTest {
 protected:
  static bool upkeep(Node& node, std::vector<logic::PendingEntry> add, std::vector<logic::MarkUpdate> marks,
                     std::vector<logic::PendingEntry> remove) {
    auto written = std::make_shared<std::promise<bool>>();
    auto future = written->get_future();
    node.shard->write_upkeep(std::move(add), std::move(marks), std::move(remove),
                             [written](bool ok) { written->set_value(ok); });
    return future.wait_for(kPatience) == std::future_status::ready && future.get();
  }
};

TEST_F(KeeperTest, AcquiresFreeSlotsAndLeavesThoseOfOthers) {
  static_cast<void>(sql("UPDATE im_slot SET owner = 9, epoch = 4 WHERE slot < 10"));
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  EXPECT_EQ(node.observer.slots.size(), kSlotCount - 10);
  EXPECT_EQ(node.observer.slots.front().slot, 10);
  EXPECT_EQ(node.observer.slots.front().epoch, 1U);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_slot WHERE owner = 9 AND epoch = 4"), 10);
  EXPECT_FALSE(node.shard->down());
  EXPECT_NE(node.shard->settings().find("innodb_flush_log_at_trx_commit=1"), std::string::npos);
  EXPECT_LT(std::abs(node.shard->clock_ms() - wall_ms()), 5000);
  auto foreign = outbox("alice", "c1");
  foreign->slot = 5;
  node.shard->submit(std::move(foreign));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
}

TEST_F(KeeperTest, RedoHoldsWhatStandsAboveTheMarkAndInPending) {
  std::vector<MsgId> ids;
  {
    Node node(config_, 1, 100);
    ASSERT_TRUE(node.start());
    for (int i = 0; i < 700; ++i)
      node.shard->submit(outbox("alice", fmt::format("c{}", i), fmt::format("m{}", i)));
    node.shard->submit(outbox("bob", "c"));
    ASSERT_TRUE(node.sink.wait_for(701));
    for (std::size_t i = 0; i < 700; ++i) ids.push_back(node.sink.outbox(i).msg_id);
    const Slot slot = slot_of("app", "alice");
    const Slot bob = slot_of("app", "bob");
    EXPECT_TRUE(upkeep(node, {{slot, 7, ids[3]}, {slot, 8, ids[3]}, {slot, 7, ids[4]}},
                       {{slot, 1, ids[99]}, {bob, 1, node.sink.outbox(700).msg_id}}, {}));
    EXPECT_TRUE(upkeep(node, {}, {}, {{slot, 7, ids[4]}}));
  }
  Node again(config_, 1, 101);
  ASSERT_TRUE(again.start());
  ASSERT_EQ(again.observer.redo.size(), 601U);
  EXPECT_EQ(again.observer.redo[0].message.msg_id, ids[3]);
  EXPECT_EQ(again.observer.pending, std::vector<MsgId>{ids[3]});
  EXPECT_EQ(again.observer.redo[1].message.msg_id, ids[100]);
  EXPECT_EQ(again.observer.redo[1].message.content, "m100");
  EXPECT_EQ(again.observer.redo[1].message.client_msg_id, "c100");
  EXPECT_EQ(again.observer.redo[1].from, "alice");
  EXPECT_EQ(again.observer.redo[1].app_id, "app");
  EXPECT_EQ(again.observer.redo[1].message.peer, "receiver");
  EXPECT_EQ(again.observer.redo.back().message.msg_id, ids[699]);
  EXPECT_EQ(again.observer.slots.front().epoch, 2U);
}

TEST_F(KeeperTest, MarkNeverGoesBackAndNeedsTheLease) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  EXPECT_TRUE(upkeep(node, {}, {{3, 1, 50}, {4, 1, 60}}, {}));
  EXPECT_TRUE(upkeep(node, {}, {{3, 1, 40}, {4, 2, 99}}, {}));
  EXPECT_EQ(sql("SELECT mark FROM im_slot WHERE slot = 3"), "50");
  EXPECT_EQ(sql("SELECT mark FROM im_slot WHERE slot = 4"), "60");
  static_cast<void>(sql("UPDATE im_slot SET owner = 2 WHERE slot = 3"));
  EXPECT_TRUE(upkeep(node, {}, {{3, 1, 70}}, {}));
  EXPECT_EQ(sql("SELECT mark FROM im_slot WHERE slot = 3"), "50");
}

TEST_F(KeeperTest, ClockGoesPastWhatThePredecessorMayHaveIssued) {
  const MsgId limit = first_msg_id_at(wall_ms() + 3'600'000);
  static_cast<void>(sql(fmt::format("INSERT INTO im_beat VALUES (1, 5, 0, {})", limit)));
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.outbox(0).outcome, Outcome::kStored);
  EXPECT_GT(node.sink.outbox(0).msg_id, limit);
  EXPECT_GT(number("SELECT id_limit FROM im_beat WHERE node = 1"), node.sink.outbox(0).msg_id);
}

TEST_F(KeeperTest, ClockThatJumpsPastTheLimitWaitsForTheNextBeat) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  // As another shard's keeper does, when it finds higher ids there.
  const MsgId far = first_msg_id_at(wall_ms() + 3'600'000);
  node.clock.move_past(far);
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.outbox(0).outcome, Outcome::kStored);
  EXPECT_GT(node.sink.outbox(0).msg_id, far);
  EXPECT_GT(number("SELECT id_limit FROM im_beat WHERE node = 1"), node.sink.outbox(0).msg_id);
}

TEST_F(KeeperTest, TakeoverOfTheEpochMakesTheNodeBeginAfresh) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  static_cast<void>(sql("UPDATE im_node SET epoch = epoch + 1 WHERE node = 1"));
  ASSERT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 2; }));
  EXPECT_EQ(node.observer.suspended, 1);
  EXPECT_EQ(node.observer.fenced, 0);
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kStored);
}

TEST_F(KeeperTest, StartsBeforeItsServer) {
  MariadbServer server;
  use(server);
  server.stop();
  Node node(config_, 1, 100);
  node.shard->start();
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).error.code, Code::kUnavailable);
  EXPECT_TRUE(node.shard->down());
  server.start();
  EXPECT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 1; }));
}

}  // namespace
}  // namespace hongyan::testing
