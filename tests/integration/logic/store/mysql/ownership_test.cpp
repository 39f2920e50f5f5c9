// Slots change hands: release, evict and claim against MariaDB, in the order of two nodes' lives and out of it.
#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "logic/store/mysql/schema/shard_check.h"
#include "logic/store/mysql/sql/beats.h"
#include "logic/store/mysql/sql/leases.h"
#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using logic::Handed;

class OwnershipTest : public StoreTest {
 protected:
  using Connection = std::unique_ptr<logic::MysqlConnection>;

  Connection connect() const {
    auto made = logic::MysqlConnection::open(logic::endpoint_of(config_));
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  // A node's start; its fence. It owns what was free.
  logic::FenceKey start(std::uint32_t node, std::uint64_t boot) {
    const auto connection = connect();
    const auto started = logic::start_node(*connection, node, boot);
    EXPECT_TRUE(started) << started.error().message;
    const logic::FenceKey key{.node = node, .epoch = started->epoch, .barrier = started->barrier};
    const auto slots = logic::parse_slots(config_.slots);
    EXPECT_TRUE(logic::claim(*connection, key, *slots));
    return key;
  }
  static bool eventually(const std::function<bool()>& holds) {
    const auto end = SteadyClock::now() + kPatience;
    while (!holds()) {
      if (SteadyClock::now() > end) return false;
    }
    return true;
  }
  // Waits for a first beat.
  bool beats(std::uint32_t node) {
    return eventually(
        [&] { return number(fmt::format("SELECT COUNT(*) FROM im_beat WHERE node = {}", node)) != 0; });
  }
  // The shard has all slots but 0: it is not the first one, wherever it stands in the configuration.
  void leave_slot_0_to_another_shard() {
    config_.slots = "1-4095";
    static_cast<void>(sql("DELETE FROM im_slot WHERE slot = 0; UPDATE im_slot_map SET slots = '1-4095'"));
  }
  std::int64_t owned_by(std::uint32_t node) {
    return number(fmt::format("SELECT COUNT(*) FROM im_slot WHERE owner = {}", node));
  }
  logic::MysqlThread thread_;
};

TEST_F(OwnershipTest, AReleasedSlotIsFreeAndItsFormerFenceIsPassed) {
  const auto one = start(1, 100);
  const auto two = start(2, 200);
  const auto connection = connect();
  const std::vector<Slot> slots{3, 4, 5};
  const auto released = logic::release(*connection, one, slots);
  ASSERT_TRUE(released) << released.error().message;
  EXPECT_EQ(*released, Handed::kDone);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_slot WHERE owner IS NULL"), 3);
  EXPECT_EQ(number("SELECT barrier FROM im_node WHERE node = 1"), static_cast<std::int64_t>(one.barrier + 1));
  const auto under_it = logic::begin_fenced(*connection, one);
  ASSERT_TRUE(under_it);
  EXPECT_EQ(*under_it, logic::Fence::kRefused) << "what was sent before is refused";
  ASSERT_TRUE(connection->rollback());

  const auto claimed = logic::claim(*connection, two, slots);
  ASSERT_TRUE(claimed) << claimed.error().message;
  EXPECT_EQ(claimed->handed, Handed::kDone);
  ASSERT_EQ(claimed->slots.size(), 3U);
  EXPECT_EQ(claimed->slots[0].slot, 3);
  EXPECT_EQ(claimed->slots[0].epoch, 2U);
  EXPECT_EQ(owned_by(2), 3);
}

// A release that was taken for lost and is read when the node serves the slot again.
TEST_F(OwnershipTest, AReleaseThatIsReadLateChangesNothing) {
  const auto one = start(1, 100);
  const auto connection = connect();
  ASSERT_EQ(*logic::release(*connection, one, std::vector<Slot>{3}), Handed::kDone);
  const logic::FenceKey now{.node = 1, .epoch = one.epoch, .barrier = one.barrier + 1};
  ASSERT_EQ(logic::claim(*connection, now, std::vector<Slot>{3})->slots.size(), 1U);
  const auto late = logic::release(*connection, one, std::vector<Slot>{3});
  ASSERT_TRUE(late);
  EXPECT_EQ(*late, Handed::kOvertaken);
  EXPECT_EQ(number("SELECT owner FROM im_slot WHERE slot = 3"), 1);
  EXPECT_EQ(number("SELECT barrier FROM im_node WHERE node = 1"), static_cast<std::int64_t>(now.barrier));
}

TEST_F(OwnershipTest, AReleaseFreesOnlyWhatIsTheNodes) {
  const auto one = start(1, 100);
  static_cast<void>(sql("UPDATE im_slot SET owner = 2 WHERE slot = 4"));
  ASSERT_EQ(*logic::release(*connect(), one, std::vector<Slot>{3, 4}), Handed::kDone);
  EXPECT_EQ(number("SELECT owner FROM im_slot WHERE slot = 4"), 2);
}

// The release's UPDATE waits until the writer's transaction is over: what it wrote is there when the slot is free.
TEST_F(OwnershipTest, AReleaseWaitsForWritersThatHaveBegun) {
  const auto one = start(1, 100);
  const auto writer = connect();
  // On a busy machine this test is slow to go on.
  ASSERT_TRUE(
      writer->query("SET SESSION idle_transaction_timeout = 0, idle_write_transaction_timeout = 0, "
                    "idle_readonly_transaction_timeout = 0"));
  ASSERT_EQ(*logic::begin_fenced(*writer, one), logic::Fence::kHolds);
  std::atomic<bool> committing = false;
  std::atomic<bool> released_early = false;
  std::atomic<int> attempts = 0;
  std::thread releaser([&] {
    const logic::MysqlThread thread;
    const auto connection = connect();
    while (true) {
      ++attempts;
      const auto released = logic::release(*connection, one, std::vector<Slot>{3});
      if (released) break;  // else it waited for a second in vain
      static_cast<void>(connection->rollback());
    }
    released_early = !committing;
  });
  // One attempt was seen to wait in vain.
  while (attempts < 2 && !released_early) std::this_thread::yield();
  EXPECT_EQ(number("SELECT owner FROM im_slot WHERE slot = 3"), 1);
  EXPECT_TRUE(writer->query("INSERT INTO im_parked VALUES (1, 'b', 'app', 3, 'x', 0)"));
  committing = true;
  EXPECT_TRUE(writer->commit());
  releaser.join();
  EXPECT_FALSE(released_early);
  EXPECT_EQ(sql("SELECT COALESCE(owner, 'nobody') FROM im_slot WHERE slot = 3"), "nobody");
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_parked"), 1);
}

TEST_F(OwnershipTest, AnEvictedNodeOwnsNothingAndItsFenceIsPassed) {
  const auto one = start(1, 100);
  const auto two = start(2, 200);
  const auto connection = connect();
  const auto evicted = logic::evict(*connection, two, 1, one.epoch);
  ASSERT_TRUE(evicted) << evicted.error().message;
  EXPECT_EQ(*evicted, Handed::kDone);
  EXPECT_EQ(owned_by(1), 0);
  EXPECT_EQ(*logic::begin_fenced(*connection, one), logic::Fence::kRefused);
  ASSERT_TRUE(connection->rollback());
  // Found dead by two: the second one changes nothing, also when the node has started again meanwhile.
  EXPECT_EQ(*logic::evict(*connection, two, 1, one.epoch), Handed::kOvertaken);
  const auto again = start(1, 101);
  EXPECT_EQ(*logic::evict(*connection, two, 1, one.epoch), Handed::kOvertaken);
  EXPECT_EQ(*logic::begin_fenced(*connection, again), logic::Fence::kHolds);
}

TEST_F(OwnershipTest, WhoIsFencedOffNeitherClaimsNorEvicts) {
  const auto one = start(1, 100);
  const auto two = start(2, 200);
  const auto connection = connect();
  ASSERT_EQ(*logic::evict(*connection, two, 1, one.epoch), Handed::kDone);
  EXPECT_EQ(*logic::evict(*connection, one, 2, two.epoch), Handed::kOvertaken);
  const auto claimed = logic::claim(*connection, one, std::vector<Slot>{1, 2});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->handed, Handed::kOvertaken);
  EXPECT_TRUE(claimed->slots.empty());
  EXPECT_EQ(owned_by(1), 0);
}

TEST_F(OwnershipTest, OfTwoWhoClaimEachSlotHasOne) {
  const auto one = start(1, 100);
  const auto two = start(2, 200);
  std::vector<Slot> all;
  for (Slot slot = 0; slot < 256; ++slot) all.push_back(slot);
  ASSERT_EQ(*logic::release(*connect(), one, all), Handed::kDone);
  const logic::FenceKey one_now{.node = 1, .epoch = one.epoch, .barrier = one.barrier + 1};
  std::array<logic::DbResult<logic::Claimed>, 2> claimed;
  std::thread other([&] {
    const logic::MysqlThread thread;
    claimed[1] = logic::claim(*connect(), two, all);
  });
  claimed[0] = logic::claim(*connect(), one_now, all);
  other.join();
  ASSERT_TRUE(claimed[0] && claimed[1]);
  EXPECT_EQ(claimed[0]->slots.size() + claimed[1]->slots.size(), 256U);
  EXPECT_EQ(owned_by(2), static_cast<std::int64_t>(claimed[1]->slots.size()));
}

// What the last owner stored is seen by who claims, and ids go past it.
TEST_F(OwnershipTest, AClaimSeesWhatWasStoredLast) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(outbox("alice", "c"));
  ASSERT_TRUE(node.sink.wait_for(1));
  const MsgId id = node.sink.outbox(0).message.id;
  const auto two = start(2, 200);
  const auto connection = connect();
  const auto seen = logic::read_shard(*connection);
  ASSERT_TRUE(seen) << seen.error().message;
  ASSERT_EQ(seen->nodes.size(), 2U);
  ASSERT_EQ(seen->leases.size(), kSlotCount);
  EXPECT_EQ(seen->leases.front().owner, 1U);
  ASSERT_EQ(*logic::evict(*connection, two, 1, seen->nodes[0].epoch), Handed::kDone);
  const auto claimed = logic::claim(*connection, two, std::vector<Slot>{slot_of("app", "alice")});
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->past, id);
}

TEST_F(OwnershipTest, WhoIsNotReadyIsSeen) {
  static_cast<void>(start(1, 100));
  const auto connection = connect();
  EXPECT_TRUE(logic::read_shard(*connection)->nodes[0].ready);
  ASSERT_TRUE(logic::set_ready(*connection, 1, 100, false));
  EXPECT_FALSE(logic::read_shard(*connection)->nodes[0].ready);
  static_cast<void>(start(1, 101));
  EXPECT_TRUE(logic::read_shard(*connection)->nodes[0].ready) << "another life";
  ASSERT_TRUE(logic::set_ready(*connection, 1, 101, false));
  ASSERT_TRUE(logic::set_ready(*connection, 1, 101, true));
  EXPECT_TRUE(logic::read_shard(*connection)->nodes[0].ready);
}

// Whole nodes.

TEST_F(OwnershipTest, AStandbyTakesOverWhatWasGivenUp) {
  auto one = std::make_unique<Node>(config_, 1, 100);
  ASSERT_TRUE(one->start());
  one->shard->submit(outbox("alice", "c1", "hello"));
  ASSERT_TRUE(one->sink.wait_for(1));
  Node two(config_, 2, 200);
  two.shard->start();
  ASSERT_TRUE(beats(2));
  EXPECT_EQ(two.observer.acquired, 0);
  one.reset();
  ASSERT_TRUE(two.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 1; }));
  EXPECT_EQ(two.observer.slots.size(), kSlotCount);
  ASSERT_EQ(two.observer.redo.accepted.size(), 1U);
  EXPECT_EQ(*two.observer.redo.accepted[0].message.content, "hello");
  two.shard->submit(outbox("alice", "c2"));
  ASSERT_TRUE(two.sink.wait_for(1));
  EXPECT_EQ(two.sink.outbox(0).seq, 2);
  EXPECT_GT(two.sink.outbox(0).message.id, two.observer.redo.accepted[0].message.id);
}

// A node that stands still: its row says what a kill -9 leaves behind.
TEST_F(OwnershipTest, AStandbyTakesOverFromTheDead) {
  ASSERT_GT(start(1, 100).epoch, 0U);
  static_cast<void>(sql("INSERT INTO im_beat VALUES (1, 100, 12345, 0)"));
  Node two(config_, 2, 200);
  const auto begun = SteadyClock::now();
  ASSERT_TRUE(two.start());
  EXPECT_GE(SteadyClock::now() - begun, std::chrono::milliseconds(2900)) << "it might have been alive";
  EXPECT_EQ(two.observer.slots.size(), kSlotCount);
  EXPECT_EQ(number("SELECT epoch FROM im_node WHERE node = 1"), 2);
}

TEST_F(OwnershipTest, ASlotThatIsNotItsOwnAnyMoreIsForgottenAndTheRestGoesOn) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  static_cast<void>(sql("UPDATE im_slot SET owner = NULL WHERE slot = 7"));
  ASSERT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 2; }))
      << "it is nobody's, so it is claimed again";
  EXPECT_EQ(node.observer.lost, (std::vector<Slot>{7}));
  EXPECT_EQ(node.observer.fenced, 0);
  EXPECT_EQ(owned_by(1), static_cast<std::int64_t>(kSlotCount));
}

TEST_F(OwnershipTest, WhoIsAskedToLeaveGivesUpEverythingAndBeatsOn) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->leave();
  ASSERT_TRUE(eventually([&] { return owned_by(1) == 0; }));
  EXPECT_EQ(node.observer.lost.size(), kSlotCount);
  node.shard->set_ready(true);
  EXPECT_FALSE(logic::read_shard(*connect())->nodes[0].ready) << "it does not come back";
  node.shard->submit(outbox("alice", "c"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_TRUE(node.sink.work(0).slot_lost);
  ASSERT_TRUE(beats(1));
  EXPECT_EQ(owned_by(1), 0);
}

TEST_F(OwnershipTest, SlotsGoToAnotherThatLivesAndComeBack) {
  Node one(config_, 1, 100);
  ASSERT_TRUE(one.start());
  one.shard->submit(outbox("alice", "c1", "hello"));
  ASSERT_TRUE(one.sink.wait_for(1));
  Node two(config_, 2, 200);
  two.shard->start();
  ASSERT_TRUE(beats(2));
  one.shard->set_ready(false);
  ASSERT_TRUE(two.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 1; }));
  EXPECT_EQ(one.observer.lost.size(), kSlotCount);
  two.shard->submit(outbox("alice", "c2"));
  ASSERT_TRUE(two.sink.wait_for(1));
  EXPECT_EQ(two.sink.outbox(0).seq, 2);
  one.shard->set_ready(true);
  ASSERT_TRUE(eventually([&] { return logic::read_shard(*connect())->nodes[0].ready; }));
  two.shard->set_ready(false);
  ASSERT_TRUE(one.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 2; }));
  one.shard->submit(outbox("alice", "c3"));
  ASSERT_TRUE(one.sink.wait_for(2));
  EXPECT_EQ(one.sink.outbox(1).seq, 3) << "what it knew of before is forgotten";
  EXPECT_EQ(one.observer.fenced + two.observer.fenced, 0);
}

// A leader that was killed comes back as a standby before its slots were taken from it, gives up what it finds
// to be its own, and leads again.
TEST_F(OwnershipTest, WhoGaveUpWhatItFoundCanLeadAgain) {
  leave_slot_0_to_another_shard();
  ASSERT_EQ(owned_by(start(1, 99).node), 4095);
  logic::Leadership leadership;
  leadership.set(logic::Leadership::Role::kStandsBy);
  Node node(config_, 1, 100, {}, &leadership);
  node.shard->start();
  ASSERT_TRUE(eventually([&] { return owned_by(1) == 0; }));
  leadership.set(logic::Leadership::Role::kLeads);
  EXPECT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 1; }));
  EXPECT_EQ(owned_by(1), 4095);
  node.shard->submit(outbox("alice", "c"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, logic::StoreWork::Outcome::kStored);
}

// Whoever raised it: an operator, a writer, a statement of its own that was taken for lost.
TEST_F(OwnershipTest, AStandbyWhoseBarrierWasRaisedTakesOverAllTheSame) {
  const auto one = start(1, 100);
  static_cast<void>(sql("INSERT INTO im_beat VALUES (1, 100, 12345, 0)"));
  Node two(config_, 2, 200);
  two.shard->start();
  ASSERT_TRUE(beats(2));
  static_cast<void>(sql("UPDATE im_node SET barrier = barrier + 1 WHERE node = 2"));
  ASSERT_EQ(owned_by(1), static_cast<std::int64_t>(kSlotCount));
  EXPECT_TRUE(two.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 1; }));
  EXPECT_EQ(owned_by(one.node), 0);
}

TEST_F(OwnershipTest, OneOfTwoShardsFollowsTheFirst) {
  leave_slot_0_to_another_shard();
  logic::Leadership leadership;
  leadership.set(logic::Leadership::Role::kStandsBy);
  Node node(config_, 1, 100, {}, &leadership);
  node.shard->start();
  ASSERT_TRUE(beats(1));
  EXPECT_EQ(owned_by(1), 0) << "the first one does not lead yet";
  leadership.set(logic::Leadership::Role::kLeads);
  EXPECT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 1; }));
  leadership.set(logic::Leadership::Role::kStandsBy);
  EXPECT_TRUE(eventually([&] { return owned_by(1) == 0; })) << "another is to have them";
  EXPECT_EQ(node.observer.fenced, 0);
  leadership.set(logic::Leadership::Role::kLeads);
  EXPECT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.acquired == 2; }));
}

}  // namespace
}  // namespace hongyan::testing
