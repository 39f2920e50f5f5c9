#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/schema/shard_check.h"
#include "logic/store/mysql/sql/boxes.h"
#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using logic::CommitFault;
using Outcome = logic::StoreWork::Outcome;

class WriterFaultsTest : public StoreTest {};

// A copy of the only row that there is, with the number after it.
const std::string kSecondRow =
    "INSERT INTO im_message_receive (app_id, msg_to, msg_seq, msg_id, cmd_id, msg_type, group_id, group_seq, "
    "send_time, msg_from, client_msg_id, msg_content) SELECT app_id, msg_to, 2, 999, cmd_id, msg_type, "
    "group_id, "
    "group_seq, send_time, msg_from, client_msg_id, msg_content FROM im_message_receive";

// The hook's faults come in this order, then none.
logic::WriteHooks faults(std::vector<CommitFault> list) {
  auto left = std::make_shared<std::vector<CommitFault>>(std::move(list));
  return {.commit_fault = [left] {
    if (left->empty()) return CommitFault::kNone;
    const CommitFault fault = left->front();
    left->erase(left->begin());
    return fault;
  }};
}

TEST_F(WriterFaultsTest, CommitWhoseAnswerIsLostIsFoundAgain) {
  Node node(config_, 1, 100, faults({CommitFault::kCutAfter}));
  ASSERT_TRUE(node.start());
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  node.shard->submit(outbox("alice", "c2"));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.outbox(0).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.outbox(0).seq, 1);
  EXPECT_EQ(std::to_string(node.sink.outbox(0).message.id),
            sql("SELECT msg_id FROM im_message_send WHERE msg_seq = 1"));
  EXPECT_EQ(node.sink.outbox(1).seq, 2);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), 2);
  EXPECT_EQ(number("SELECT barrier FROM im_node WHERE node = 1"), 1);
}

// A stopped server reads a statement only after its writer has found out, on a new connection, that nothing
// was stored.
TEST_F(WriterFaultsTest, WhatIsReadAfterTheBarrierIsRefused) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  const logic::MysqlThread thread;
  auto old = logic::MysqlConnection::open(logic::endpoint_of(config_));
  auto young = logic::MysqlConnection::open(logic::endpoint_of(config_));
  ASSERT_TRUE(old && young);
  const auto epoch = static_cast<std::uint64_t>(number("SELECT epoch FROM im_node WHERE node = 1"));
  const logic::FenceKey key{.node = 1, .epoch = epoch, .barrier = 0};
  logic::RowInsert<logic::OutboxWork> insert;
  const auto stored = [&](const logic::FenceKey& under, int id) {
    auto work = outbox("alice", fmt::format("c{}", id));
    auto* one = work.get();
    one->message.id = id;
    one->seq = id;
    const auto fence = insert.run(**old, std::span(&one, 1), &under);
    EXPECT_TRUE(fence);
    return fence && *fence == logic::Fence::kHolds;
  };
  EXPECT_TRUE(stored(key, 1));
  const auto passed = logic::pass_barrier(**young, 1, epoch);
  ASSERT_TRUE(passed && *passed);
  EXPECT_FALSE(stored(key, 2));
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), 1);
  EXPECT_TRUE(stored({.node = 1, .epoch = epoch, .barrier = 1}, 2));
}

TEST_F(WriterFaultsTest, GoesOnAfterAnotherWritersBarrier) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  for (int i = 1; i <= 3; ++i) {
    static_cast<void>(sql("UPDATE im_node SET barrier = barrier + 1"));
    node.shard->submit(outbox("alice", fmt::format("c{}", i)));
    ASSERT_TRUE(node.sink.wait_for(static_cast<std::size_t>(i)));
    EXPECT_EQ(node.sink.outbox(static_cast<std::size_t>(i) - 1).outcome, Outcome::kStored);
    EXPECT_EQ(node.sink.outbox(static_cast<std::size_t>(i) - 1).seq, i);
  }
}

TEST_F(WriterFaultsTest, CommitThatNeverArrivedIsDoneAgain) {
  Node node(config_, 1, 100,
            faults({CommitFault::kCutBefore, CommitFault::kCutAfter, CommitFault::kCutBefore}));
  ASSERT_TRUE(node.start());
  for (int i = 0; i < 100; ++i) node.shard->submit(inbox("bob", 1 + i));
  ASSERT_TRUE(node.sink.wait_for(100));
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(node.sink.inbox(i).outcome, Outcome::kStored);
    EXPECT_EQ(node.sink.inbox(i).seq, static_cast<std::int64_t>(i) + 1);
  }
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_receive"), 100);
}

TEST_F(WriterFaultsTest, WaitsForALockAndGoesOn) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(inbox("bob", 1));
  ASSERT_TRUE(node.sink.wait_for(1));
  const logic::MysqlThread thread;
  auto other = logic::MysqlConnection::open(logic::endpoint_of(config_));
  ASSERT_TRUE(other);
  // Holds what the next row needs; the server ends the idle transaction after a second.
  ASSERT_TRUE((*other)->query("START TRANSACTION; " + kSecondRow));
  node.shard->submit(inbox("bob", 2));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.inbox(1).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.inbox(1).seq, 2);
}

// The other transaction holds the row that the writer needs and then asks for the writer's fence: the server
// ends one of the two with 1213. The other has written a row, so the writer's is the cheaper one to give up.
TEST_F(WriterFaultsTest, GoesOnAfterADeadlock) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(inbox("bob", 1));
  ASSERT_TRUE(node.sink.wait_for(1));
  const logic::MysqlThread thread;
  auto other = logic::MysqlConnection::open(logic::endpoint_of(config_));
  ASSERT_TRUE(other);
  ASSERT_TRUE(
      (*other)->query("SET SESSION idle_transaction_timeout = 0, idle_write_transaction_timeout = 0"));
  const auto deadlocks = [this] {
    return number("SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'");
  };
  ASSERT_NE(sql("SELECT @@innodb_deadlock_detect"), "0");
  const auto before = deadlocks();
  ASSERT_TRUE((*other)->query("START TRANSACTION; " + kSecondRow));
  node.shard->submit(inbox("bob", 2));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  // Not from INNODB_TRX: a cache that is not refreshed while it is read often.
  while (number("SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
                "WHERE VARIABLE_NAME = 'INNODB_ROW_LOCK_CURRENT_WAITS'") == 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  ASSERT_TRUE((*other)->query("UPDATE im_node SET barrier = barrier + 1"));
  EXPECT_EQ(deadlocks(), before + 1);
  ASSERT_TRUE((*other)->query("ROLLBACK"));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.inbox(1).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.inbox(1).seq, 2);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_receive WHERE msg_to = 'bob'"), 2);
}

TEST_F(WriterFaultsTest, RetriesWhenAnotherConnectionTookTheSequence) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(inbox("bob", 1));
  ASSERT_TRUE(node.sink.wait_for(1));
  // What the fence forbids, done by hand: the writer's tail is stale now.
  static_cast<void>(sql(kSecondRow));
  node.shard->submit(inbox("bob", 2));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.inbox(1).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.inbox(1).seq, 3);
}

TEST_F(WriterFaultsTest, KilledConnectionIsMadeAgain) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  end_connections();
  node.shard->submit(outbox("alice", "c2"));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.outbox(1).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.outbox(1).seq, 2);
}

// Two processes with one number: the living one is not disturbed, the other is told to end.
TEST_F(WriterFaultsTest, ATwinIsRefusedWhileTheOtherLives) {
  Node old(config_, 1, 100);
  ASSERT_TRUE(old.start());
  Node young(config_, 1, 200);
  young.shard->start();
  EXPECT_TRUE(young.observer.wait_until([](const RecordingObserver& seen) { return seen.fenced == 1; }));
  EXPECT_EQ(young.observer.acquired, 0);
  old.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(old.sink.wait_for(1));
  EXPECT_EQ(old.sink.work(0).outcome, Outcome::kStored);
  EXPECT_EQ(old.observer.fenced, 0);
}

TEST_F(WriterFaultsTest, AnotherBootOfTheNodeFencesOff) {
  Node old(config_, 1, 100);
  ASSERT_TRUE(old.start());
  static_cast<void>(sql("UPDATE im_node SET boot = 200, epoch = epoch + 1 WHERE node = 1"));
  old.shard->submit(outbox("alice", "c2"));
  ASSERT_TRUE(old.sink.wait_for(1));
  EXPECT_EQ(old.sink.work(0).outcome, Outcome::kRefused);
  EXPECT_EQ(old.sink.work(0).error.code, Code::kUnavailable);
  EXPECT_TRUE(old.observer.wait_until([](const RecordingObserver& seen) { return seen.fenced == 1; }));
}

TEST_F(WriterFaultsTest, ReadOnlyServerRefusesAndComesBack) {
  MariadbServer server;
  use(server);
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  static_cast<void>(server.sql("SET GLOBAL read_only = 1"));
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
  EXPECT_EQ(node.sink.work(0).error.code, Code::kUnavailable);
  EXPECT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.suspended == 1; }));
  static_cast<void>(server.sql("SET GLOBAL read_only = 0"));
  EXPECT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.resumed == 1; }));
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.outbox(1).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.outbox(1).seq, 1);
}

TEST_F(WriterFaultsTest, KilledServerLosesNothingAcknowledged) {
  MariadbServer server;
  use(server);
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  std::atomic<bool> stop{false};
  std::atomic<int> submitted{0};
  std::thread sender([&] {
    while (!stop) {
      // At most a hundred on their way.
      if (submitted - static_cast<int>(node.sink.count()) > 100) {
        std::this_thread::yield();
        continue;
      }
      node.shard->submit(outbox(fmt::format("u{}", submitted % 10), fmt::format("c{}", submitted.load())));
      ++submitted;
    }
  });
  ASSERT_TRUE(node.sink.wait_for(2000));
  server.kill_hard();
  ASSERT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.suspended == 1; }));
  EXPECT_TRUE(node.shard->down());
  server.start();
  ASSERT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.resumed == 1; }));
  ASSERT_TRUE(node.sink.wait_for(node.sink.count() + 1000));
  stop = true;
  sender.join();
  ASSERT_TRUE(node.sink.wait_for(static_cast<std::size_t>(submitted.load())));
  std::int64_t stored = 0;
  for (std::size_t i = 0; i < node.sink.count(); ++i) {
    const auto& work = node.sink.outbox(i);
    stored += work.outcome == Outcome::kStored ? 1 : 0;
    if (work.outcome == Outcome::kRefused) EXPECT_EQ(work.error.code, Code::kUnavailable);
  }
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), stored);
  EXPECT_EQ(number("SELECT COUNT(*) FROM (SELECT msg_from FROM im_message_send GROUP BY msg_from "
                   "HAVING MIN(msg_seq) = 1 AND MAX(msg_seq) = COUNT(*)) contiguous"),
            10);
}

TEST_F(WriterFaultsTest, FrozenServerRefusesInTimeAndSettlesLater) {
  MariadbServer server;
  use(server);
  config_.read_timeout = Milliseconds(1000);
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  server.freeze();
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.suspended == 1; }));
  ASSERT_TRUE(node.sink.wait_for(1));  // nothing was sent but the fence: a plain refusal
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
  server.thaw();
  ASSERT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return seen.resumed == 1; }));
  node.shard->submit(outbox("alice", "c1"));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.outbox(1).seq, 1);
}

}  // namespace
}  // namespace hongyan::testing
