#include <fmt/format.h>

#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using logic::StoreWork;
using Outcome = StoreWork::Outcome;

class WriterTest : public StoreTest {};

TEST_F(WriterTest, StoresEveryByteAndNumbersFromOne) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  std::string content;
  for (int i = 0; i < 256; ++i) content += static_cast<char>(i);
  node.shard->submit(outbox("alice", std::string("c\0\xff'1", 5), content));
  node.shard->submit(outbox("alice", "c2", ""));
  node.shard->submit(inbox("bob", 77, content));
  ASSERT_TRUE(node.sink.wait_for(3));
  EXPECT_EQ(node.sink.outbox(0).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.outbox(0).seq, 1);
  EXPECT_EQ(node.sink.outbox(1).seq, 2);
  EXPECT_GT(node.sink.outbox(1).message.id, node.sink.outbox(0).message.id);
  EXPECT_EQ(node.sink.inbox(2).seq, 1);
  EXPECT_EQ(sql("SELECT msg_content FROM im_message_send WHERE msg_seq = 1"), content);
  EXPECT_EQ(sql("SELECT client_msg_id FROM im_message_send WHERE msg_seq = 1"), std::string("c\0\xff'1", 5));
  EXPECT_EQ(sql("SELECT msg_content FROM im_message_receive WHERE msg_id = 77"), content);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send WHERE msg_content = ''"), 1);
}

TEST_F(WriterTest, GathersWhatWaitsIntoFewCommits) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  const auto commits = [&] {
    return number(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'COM_COMMIT'");
  };
  const auto before = commits();
  constexpr int kRows = 5000;
  for (int i = 0; i < kRows; ++i)
    node.shard->submit(outbox(fmt::format("u{}", i % 50), fmt::format("c{}", i)));
  ASSERT_TRUE(node.sink.wait_for(kRows));
  EXPECT_LT(commits() - before, 200);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), kRows);
  EXPECT_EQ(number("SELECT COUNT(*) FROM (SELECT msg_from FROM im_message_send GROUP BY msg_from "
                   "HAVING MIN(msg_seq) = 1 AND MAX(msg_seq) = COUNT(*)) contiguous"),
            50);
  // The order of ids is the order of sequences.
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send a JOIN im_message_send b ON a.app_id = b.app_id AND "
                   "a.msg_from = b.msg_from AND a.msg_seq + 1 = b.msg_seq WHERE a.msg_id >= b.msg_id"),
            0);
}

TEST_F(WriterTest, AnswersADuplicateWithTheStoredRow) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(outbox("alice", "same"));
  ASSERT_TRUE(node.sink.wait_for(1));
  auto again = outbox("alice", "same", "other");
  again->message.to = "somebody else";
  node.shard->submit(std::move(again));
  node.shard->submit(outbox("alice", "next"));
  ASSERT_TRUE(node.sink.wait_for(3));
  EXPECT_EQ(node.sink.outbox(1).outcome, Outcome::kExists);
  EXPECT_EQ(node.sink.outbox(1).message.id, node.sink.outbox(0).message.id);
  EXPECT_EQ(node.sink.outbox(1).seq, 1);
  EXPECT_EQ(node.sink.outbox(1).stored_for.to, "receiver");
  EXPECT_EQ(node.sink.outbox(1).stored_for.command, 30);
  EXPECT_EQ(node.sink.outbox(2).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.outbox(2).seq, 2);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), 2);
}

TEST_F(WriterTest, FindsDuplicatesWithinABatchAndInTheInbox) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 300; ++i) node.shard->submit(inbox("bob", 1 + i % 100));
  }
  for (int i = 0; i < 300; ++i) node.shard->submit(outbox("bob", fmt::format("c{}", i % 100)));
  ASSERT_TRUE(node.sink.wait_for(900));
  int stored = 0;
  for (std::size_t i = 0; i < 900; ++i) stored += node.sink.work(i).outcome == Outcome::kStored ? 1 : 0;
  EXPECT_EQ(stored, 200);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_receive"), 100);
  EXPECT_EQ(number("SELECT MAX(msg_seq) FROM im_message_receive"), 100);
  EXPECT_EQ(number("SELECT MAX(msg_seq) FROM im_message_send"), 100);
}

TEST_F(WriterTest, LooksFirstWhenARowMayBeThere) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(inbox("bob", 5));
  ASSERT_TRUE(node.sink.wait_for(1));
  for (const MsgId id : {5, 6}) {
    auto work = inbox("bob", id);
    work->lookup_first = true;
    node.shard->submit(std::move(work));
  }
  ASSERT_TRUE(node.sink.wait_for(3));
  EXPECT_EQ(node.sink.inbox(1).outcome, Outcome::kExists);
  EXPECT_EQ(node.sink.inbox(1).seq, 1);
  EXPECT_EQ(node.sink.inbox(2).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.inbox(2).seq, 2);
}

TEST_F(WriterTest, TellsTailsInOrderWithTheRows) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(inbox("bob", 1));
  auto tails = std::make_unique<logic::TailsWork>();
  tails->user = {"app", "bob"};
  tails->slot = slot_of("app", "bob");
  node.shard->submit(std::move(tails));
  node.shard->submit(inbox("bob", 2));
  ASSERT_TRUE(node.sink.wait_for(3));
  const auto& told = node.sink.tails(1);
  EXPECT_EQ(told.outcome, Outcome::kStored);
  EXPECT_EQ(told.inbox_seq, 1);
  EXPECT_EQ(told.outbox_seq, 0);
}

TEST_F(WriterTest, ParksAnInboxRowThatCanNeverBeStoredAndKeepsTheRest) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  node.shard->submit(inbox("bob", 1));
  auto bad = inbox("bob", 2);
  bad->message.from = std::string(200, 'x');  // the column holds 128 bytes
  node.shard->submit(std::move(bad));
  auto refused = outbox("bob", "c");
  refused->message.to = std::string(200, 'x');
  node.shard->submit(std::move(refused));
  node.shard->submit(inbox("bob", 3));
  ASSERT_TRUE(node.sink.wait_for(4));
  EXPECT_EQ(node.sink.inbox(0).seq, 1);
  EXPECT_EQ(node.sink.work(1).outcome, Outcome::kParked);
  EXPECT_EQ(node.sink.work(2).outcome, Outcome::kRefused);
  EXPECT_EQ(node.sink.work(2).error.code, Code::kInternal);
  EXPECT_EQ(node.sink.inbox(3).outcome, Outcome::kStored);
  EXPECT_EQ(node.sink.inbox(3).seq, 2);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_parked WHERE id = 2 AND reason LIKE '%1406%'"), 1);
}

TEST_F(WriterTest, RefusesWorkPastItsDeadline) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  auto late = outbox("alice", "late");
  late->deadline = SteadyClock::now() - Milliseconds(1);
  node.shard->submit(std::move(late));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
  EXPECT_EQ(node.sink.work(0).error.code, Code::kUnavailable);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), 0);
}

TEST_F(WriterTest, RefusesBeforeTheShardIsAcquiredAndAfterItsEnd) {
  Node node(config_, 1, 100);
  node.shard->submit(outbox("alice", "early"));
  node.shard->start();
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).error.code, Code::kUnavailable);
  node.shard->stop();
  node.shard->submit(outbox("alice", "late"));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.work(1).error.code, Code::kUnavailable);
}

}  // namespace
}  // namespace hongyan::testing
