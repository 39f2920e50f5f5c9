// A slot leaves the node between what a write was meant under and its first statement: nothing of it is
// committed. What will evict or release in the life of many nodes is done by hand here.
#include <fmt/format.h>

#include <atomic>
#include <future>
#include <utility>

#include "tests/integration/logic/store/mysql/store_fixture.h"

namespace hongyan::testing {
namespace {

using logic::GroupWork;
using Outcome = logic::StoreWork::Outcome;

class TenureTest : public StoreTest {
 protected:
  static constexpr std::int64_t kGroup = 4711;

  logic::WriteHooks hooks() {
    return {.before_write = [this] {
      if (armed_.exchange(false)) std::exchange(meanwhile_, {})();
    }};
  }
  // Before the next write, once.
  void meanwhile(std::function<void()> what) {
    meanwhile_ = std::move(what);
    armed_ = true;
  }
  // To a node that nobody has seen yet: else this one might take it again, as nobody's.
  void release(Slot slot) const {
    static_cast<void>(server_->sql(fmt::format("START TRANSACTION; "
                                               "UPDATE im_node SET barrier = barrier + 1 WHERE node = 1; "
                                               "UPDATE im_slot SET owner = 9 WHERE slot = {}; COMMIT",
                                               slot),
                                   config_.database));
  }
  // Another node takes the slot; this one finds out that its life is over.
  void evict(Node& node, Slot slot) const {
    static_cast<void>(
        server_->sql(fmt::format("START TRANSACTION; UPDATE im_node SET epoch = epoch + 1 WHERE node = 1; "
                                 "UPDATE im_slot SET owner = 2, epoch = epoch + 1 WHERE slot = {}; COMMIT",
                                 slot),
                     config_.database));
    EXPECT_TRUE(node.observer.wait_until([](const RecordingObserver& seen) { return !seen.lost.empty(); }));
  }

  static std::unique_ptr<GroupWork> group_work(std::int64_t seq) {
    auto made = std::make_unique<GroupWork>(GroupWork::Op::kStore);
    made->user.app_id = "app";
    made->group_id = kGroup;
    made->slot = group_slot();
    logic::GroupRow row;
    row.message = {.id = 1000 + seq,
                   .from = "alice",
                   .client_msg_id = fmt::format("c{}", seq),
                   .content = logic::share("hi"),
                   .group_id = kGroup,
                   .group_seq = seq,
                   .command = 40};
    row.placed_id = 2000 + seq;
    made->rows.push_back(std::move(row));
    return made;
  }
  static std::unique_ptr<GroupWork> command(std::int64_t seq) {
    auto made = group_work(seq);
    made->joined = {"bob"};
    made->answer = logic::CtrlOutcome{.msg_id = 1000 + seq, .error = {Code::kOk, ""}, .result = ""};
    return made;
  }
  static Slot group_slot() { return slot_of("app", std::to_string(kGroup)); }
  static std::future<Result<logic::StoredUser>> ban(Node& node) {
    auto promise = std::make_shared<std::promise<Result<logic::StoredUser>>>();
    node.shard->run_user_request(
        {.kind = logic::UserRequest::Kind::kBan,
         .user = {"app", "bob"},
         .slot = slot_of("app", "bob"),
         .ban = {.until_ms = logic::kForever, .reason = "spam"}},
        [promise](Result<logic::StoredUser> user) { promise->set_value(std::move(user)); });
    return promise->get_future();
  }

 private:
  std::atomic<bool> armed_{false};
  std::function<void()> meanwhile_;
};

TEST_F(TenureTest, NoRowOfASlotThatWasReleasedMeanwhile) {
  Node node(config_, 1, 100, hooks());
  ASSERT_TRUE(node.start());
  const Slot bob = slot_of("app", "bob");
  meanwhile([&] { release(bob); });
  node.shard->submit(inbox("bob", 1));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
  EXPECT_EQ(node.sink.work(0).error.code, Code::kUnavailable);
  // Nor by the next batch, though nobody told this node.
  node.shard->submit(inbox("bob", 2));
  ASSERT_TRUE(node.sink.wait_for(2));
  EXPECT_EQ(node.sink.work(1).outcome, Outcome::kRefused);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_receive"), 0);
  node.shard->submit(inbox("alice", 3));
  ASSERT_TRUE(node.sink.wait_for(3));
  EXPECT_EQ(node.sink.work(2).outcome, Outcome::kStored);
}

// Rows of several slots in one transaction.
TEST_F(TenureTest, ARowOfAnotherSlotOfTheBatchIsStored) {
  Node node(config_, 1, 100, hooks());
  ASSERT_TRUE(node.start());
  std::promise<void> queued;
  std::promise<void> begun;
  meanwhile([&] {
    begun.set_value();
    queued.get_future().wait();
    meanwhile([&] { release(slot_of("app", "bob")); });
  });
  node.shard->submit(inbox("carol", 1));
  begun.get_future().wait();
  node.shard->submit(inbox("bob", 2));
  node.shard->submit(outbox("bob", "c"));
  node.shard->submit(inbox("alice", 3));
  node.shard->submit(outbox("alice", "c"));
  queued.set_value();
  ASSERT_TRUE(node.sink.wait_for(5));
  const std::vector<Outcome> expected = {Outcome::kStored, Outcome::kRefused, Outcome::kRefused,
                                         Outcome::kStored, Outcome::kStored};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(node.sink.work(i).outcome, expected[i]) << i;
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_receive WHERE msg_to = 'bob'"), 0);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_send"), 1);
}

// The release is under way when the connection breaks, and is done before the outcome is settled.
TEST_F(TenureTest, WhatWasStoredBeforeTheReleaseIsToldAndTheRestIsRefused) {
  for (const auto fault : {logic::CommitFault::kCutAfter, logic::CommitFault::kCutBefore}) {
    const bool arrives = fault == logic::CommitFault::kCutAfter;
    use(shared_server());
    auto with_fault = hooks();
    with_fault.commit_fault = [fault, left = 1]() mutable {
      return left-- > 0 ? fault : logic::CommitFault::kNone;
    };
    Node node(config_, 1, 100, with_fault);
    ASSERT_TRUE(node.start());
    if (!arrives) meanwhile([&] { release(slot_of("app", "bob")); });
    node.shard->submit(inbox("bob", 1));
    ASSERT_TRUE(node.sink.wait_for(1));
    EXPECT_EQ(node.sink.work(0).outcome, arrives ? Outcome::kStored : Outcome::kRefused);
    EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_receive"), arrives ? 1 : 0);
  }
}

TEST_F(TenureTest, NoRowAfterATakeover) {
  Node node(config_, 1, 100, hooks());
  ASSERT_TRUE(node.start());
  const Slot bob = slot_of("app", "bob");
  meanwhile([&] { evict(node, bob); });
  node.shard->submit(inbox("bob", 1));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.work(0).outcome, Outcome::kRefused);
  EXPECT_EQ(node.sink.work(0).error.code, Code::kUnavailable);
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_message_receive"), 0);
}

TEST_F(TenureTest, NoGroupRowAndNoCommandOfASlotThatWasReleasedMeanwhile) {
  for (const bool is_command : {false, true}) {
    use(shared_server());
    Node node(config_, 1, 100, hooks());
    ASSERT_TRUE(node.start());
    meanwhile([&] { release(group_slot()); });
    node.shard->submit(is_command ? command(1) : group_work(1));
    ASSERT_TRUE(node.sink.wait_for(1));
    EXPECT_EQ(node.sink.group(0).outcome, Outcome::kRefused);
    EXPECT_EQ(node.sink.group(0).error.code, Code::kUnavailable);
    EXPECT_EQ(number("SELECT COUNT(*) FROM im_group_message"), 0);
    EXPECT_EQ(number("SELECT COUNT(*) FROM im_ctrl_outcome"), 0);
  }
}

TEST_F(TenureTest, NoGroupRowAndNoCommandAfterATakeover) {
  for (const bool is_command : {false, true}) {
    use(shared_server());
    Node node(config_, 1, 100, hooks());
    ASSERT_TRUE(node.start());
    meanwhile([&] { evict(node, group_slot()); });
    node.shard->submit(is_command ? command(1) : group_work(1));
    ASSERT_TRUE(node.sink.wait_for(1));
    EXPECT_EQ(node.sink.group(0).outcome, Outcome::kRefused);
    EXPECT_EQ(number("SELECT COUNT(*) FROM im_group_message"), 0);
    EXPECT_EQ(number("SELECT COUNT(*) FROM im_ctrl_outcome"), 0);
  }
}

TEST_F(TenureTest, ACommandGoesOnAfterABarrierOfAnotherWriter) {
  Node node(config_, 1, 100, hooks());
  ASSERT_TRUE(node.start());
  meanwhile(
      [&] { static_cast<void>(server_->sql("UPDATE im_node SET barrier = barrier + 1", config_.database)); });
  node.shard->submit(command(1));
  ASSERT_TRUE(node.sink.wait_for(1));
  EXPECT_EQ(node.sink.group(0).outcome, Outcome::kStored);
}

TEST_F(TenureTest, NoBanOfASlotThatLeftMeanwhile) {
  for (const bool evicted : {false, true}) {
    use(shared_server());
    Node node(config_, 1, 100, hooks());
    ASSERT_TRUE(node.start());
    const Slot bob = slot_of("app", "bob");
    meanwhile([&] { evicted ? evict(node, bob) : release(bob); });
    auto answer = ban(node);
    ASSERT_EQ(answer.wait_for(kPatience), std::future_status::ready);
    const auto refused = answer.get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
    EXPECT_EQ(number("SELECT COUNT(*) FROM im_user"), 0);
  }
}

TEST_F(TenureTest, ABanGoesOnAfterABarrierOfAWriter) {
  Node node(config_, 1, 100, hooks());
  ASSERT_TRUE(node.start());
  meanwhile(
      [&] { static_cast<void>(server_->sql("UPDATE im_node SET barrier = barrier + 1", config_.database)); });
  auto answer = ban(node);
  ASSERT_EQ(answer.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(answer.get());
  EXPECT_EQ(number("SELECT COUNT(*) FROM im_user"), 1);
}

// What no lease covers any more is left out; the rest is written.
TEST_F(TenureTest, UpkeepGoesOnWithoutTheSlotsThatAreGone) {
  Node node(config_, 1, 100);
  ASSERT_TRUE(node.start());
  release(5);
  std::promise<bool> written;
  node.shard->write_upkeep({.add_pending = {{5, 7, 1}, {6, 7, 2}},
                            .marks = {{5, 1, 50}, {6, 1, 60}},
                            .remove_pending = {},
                            .cursors = {},
                            .done = [&written](bool ok) { written.set_value(ok); }});
  auto done = written.get_future();
  ASSERT_EQ(done.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(done.get());
  EXPECT_EQ(sql("SELECT GROUP_CONCAT(slot) FROM im_pending"), "6");
  EXPECT_EQ(sql("SELECT mark FROM im_slot WHERE slot = 5"), "0");
  EXPECT_EQ(sql("SELECT mark FROM im_slot WHERE slot = 6"), "60");
}

}  // namespace
}  // namespace hongyan::testing
