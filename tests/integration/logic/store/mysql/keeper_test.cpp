#include <fmt/format.h>

#include <future>
#include <map>

#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using Outcome = logic::StoreWork::Outcome;

class KeeperTest : public StoreTest {
 protected:
  static bool upkeep(Node& node, std::vector<logic::PendingEntry> add, std::vector<logic::MarkUpdate> marks,
                     std::vector<logic::PendingEntry> remove, std::vector<logic::CursorUpdate> cursors = {}) {
    auto written = std::make_shared<std::promise<bool>>();
    auto future = written->get_future();
    node.shard->write_upkeep({.add_pending = std::move(add),
                              .marks = std::move(marks),
                              .remove_pending = std::move(remove),
                              .cursors = std::move(cursors),
                              .done = [written](bool ok) { written->set_value(ok); }});
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
    for (std::size_t i = 0; i < 700; ++i) ids.push_back(node.sink.outbox(i).message.id);
    const Slot slot = slot_of("app", "alice");
    const Slot bob = slot_of("app", "bob");
    EXPECT_TRUE(upkeep(node, {{slot, 7, ids[3]}, {slot, 8, ids[3]}, {slot, 7, ids[4]}},
                       {{slot, 1, ids[99]}, {bob, 1, node.sink.outbox(700).message.id}}, {}));
    EXPECT_TRUE(upkeep(node, {}, {}, {{slot, 7, ids[4]}}));
    // One receiver's row is there, another's of the same slot is not.
    EXPECT_TRUE(upkeep(node, {{slot, 8, ids[3]}}, {}, {{slot, 8, ids[3]}}));
  }
  Node again(config_, 1, 101);
  ASSERT_TRUE(again.start());
  ASSERT_EQ(again.observer.redo.accepted.size(), 601U);
  EXPECT_EQ(again.observer.redo.accepted[0].message.id, ids[3]);
  ASSERT_EQ(again.observer.redo.pending.size(), 2U);
  EXPECT_EQ(again.observer.redo.pending[0].id, ids[3]);
  EXPECT_EQ(again.observer.redo.pending[1].id, ids[3]);
  EXPECT_EQ(again.observer.redo.accepted[1].message.id, ids[100]);
  EXPECT_EQ(*again.observer.redo.accepted[1].message.content, "m100");
  EXPECT_EQ(again.observer.redo.accepted[1].message.client_msg_id, "c100");
  EXPECT_EQ(again.observer.redo.accepted[1].message.from, "alice");
  EXPECT_EQ(again.observer.redo.accepted[1].app_id, "app");
  EXPECT_EQ(again.observer.redo.accepted[1].message.to, "receiver");
  EXPECT_EQ(again.observer.redo.accepted.back().message.id, ids[699]);
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

TEST_F(KeeperTest, CursorsAreKeptAndNeverGoBack) {
  using enum logic::CursorKind;
  const auto at = [](const std::string& uid, DeviceClass device, logic::CursorKind kind, std::int64_t seq) {
    return logic::CursorUpdate{.user = {"app", uid}, .cursor = {device, kind, seq}};
  };
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  const std::string strange("a\0'\xff", 4);
  std::vector<logic::CursorUpdate> many;
  for (int i = 0; i < 1500; ++i) many.push_back(at(fmt::format("u{}", i), DeviceClass::kWeb, kInbox, i));
  EXPECT_TRUE(upkeep(node, {}, {}, {}, many));
  EXPECT_TRUE(
      upkeep(node, {}, {}, {},
             {at("alice", DeviceClass::kMobile, kInbox, 7), at("alice", DeviceClass::kMobile, kOutbox, 3),
              at("alice", DeviceClass::kDesktop, kInbox, 9), at(strange, DeviceClass::kWeb, kInbox, 5)}));
  EXPECT_TRUE(upkeep(node, {}, {}, {}, {at("alice", DeviceClass::kMobile, kInbox, 6)}));
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_user_cursor"), 1504);

  const std::vector<std::string> uids = {"alice", strange, "u1499", "nobody"};
  for (int round = 0; round < 2;
       ++round) {  // the second time the tails are known, and cursors read all the same
    for (const auto& uid : uids) {
      auto tails = std::make_unique<logic::TailsWork>();
      tails->user = {"app", uid};
      tails->slot = slot_of("app", uid);
      node.shard->submit(std::move(tails));
    }
    const std::size_t first = static_cast<std::size_t>(round) * uids.size();
    ASSERT_TRUE(node.sink.wait_for(first + uids.size()));
    std::map<std::string, std::map<std::pair<DeviceClass, logic::CursorKind>, std::int64_t>> read;
    for (std::size_t i = first; i < first + uids.size(); ++i) {
      const auto& work = node.sink.tails(i);
      EXPECT_EQ(work.outcome, Outcome::kStored);
      for (const auto& one : work.cursors) read[work.user.uid][{one.device_class, one.kind}] = one.seq;
    }
    EXPECT_EQ(read["alice"].size(), 3U);
    EXPECT_EQ((read["alice"][{DeviceClass::kMobile, kInbox}]), 7);
    EXPECT_EQ((read["alice"][{DeviceClass::kMobile, kOutbox}]), 3);
    EXPECT_EQ((read["alice"][{DeviceClass::kDesktop, kInbox}]), 9);
    EXPECT_EQ((read[strange][{DeviceClass::kWeb, kInbox}]), 5);
    EXPECT_EQ((read["u1499"][{DeviceClass::kWeb, kInbox}]), 1499);
    EXPECT_TRUE(read["nobody"].empty());
  }
}

TEST_F(KeeperTest, FencedNodeWritesNoCursors) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  static_cast<void>(sql("UPDATE im_node SET boot = boot + 1, epoch = epoch + 1 WHERE node = 1"));
  EXPECT_FALSE(
      upkeep(node, {}, {}, {},
             {{.user = {"app", "alice"}, .cursor = {DeviceClass::kWeb, logic::CursorKind::kInbox, 1}}}));
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_user_cursor"), 0);
}

TEST_F(KeeperTest, ClockGoesPastWhatThePredecessorMayHaveIssued) {
  const MsgId limit = first_msg_id_at(wall_ms() + 3'600'000);
  static_cast<void>(sql(fmt::format("INSERT INTO im_beat VALUES (1, 5, 0, {})", limit)));
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.outbox(0).outcome, Outcome::kStored);
  EXPECT_GT(node.sink.outbox(0).message.id, limit);
  EXPECT_GT(number("SELECT id_limit FROM im_beat WHERE node = 1"), node.sink.outbox(0).message.id);
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
  EXPECT_GT(node.sink.outbox(0).message.id, far);
  EXPECT_GT(number("SELECT id_limit FROM im_beat WHERE node = 1"), node.sink.outbox(0).message.id);
}

TEST_F(KeeperTest, WhoWasTakenForDeadForgetsItsSlotsAndBeginsAnew) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  const std::uint64_t held_under = node.observer.slots.front().epoch;
  static_cast<void>(sql("UPDATE im_node SET epoch = epoch + 1 WHERE node = 1"));
  ASSERT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 2; }));
  EXPECT_EQ(node.observer.lost.size(), kSlotCount);
  EXPECT_GT(node.observer.slots.front().epoch, held_under);
  EXPECT_EQ(node.observer.fenced, 0);
  auto of_before = outbox("alice", "c1");
  of_before->slot_epoch = held_under;
  node.shard->submit(std::move(of_before));
  node.shard->submit(outbox("alice", "c2"));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
  EXPECT_TRUE(node.sink.work(0).slot_lost);
  EXPECT_EQ(node.sink.work(1).outcome, Outcome::kStored);
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
