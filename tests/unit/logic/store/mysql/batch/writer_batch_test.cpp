#include "logic/store/mysql/batch/writer_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

namespace hongyan::logic {
namespace {

using Step = WriterBatch::Step;
using Outcome = StoreWork::Outcome;

constexpr MsgId kNoLimit = std::numeric_limits<MsgId>::max();

constexpr const char* kTelltale = "TELLTALE";

DbError error(DbFault fault) { return {.fault = fault, .code = 1, .message = kTelltale}; }

class WriterBatchTest : public ::testing::Test {
 protected:
  void add_outbox(const std::string& uid, const std::string& id) {
    auto work = std::make_unique<OutboxWork>();
    work->user = {"app", uid};
    work->message.client_msg_id = id;
    work->message.to = "to-" + id;
    works_.push_back(std::move(work));
  }
  void add_inbox(const std::string& uid, MsgId id, bool lookup = false) {
    auto work = std::make_unique<InboxWork>();
    work->user = {"app", uid};
    work->message.id = id;
    work->lookup_first = lookup;
    works_.push_back(std::move(work));
  }
  void begin() { batch_.begin({.tenure = tenure_, .works = std::exchange(works_, {})}, now_); }
  // What FencedConnection makes of an error of the last step.
  void failed(DbFault fault, DbSent sent) {
    perhaps_stored(fault, sent) ? batch_.in_doubt(error(fault)) : batch_.failed(error(fault));
  }
  void unreachable() { batch_.unreachable(error(DbFault::kLost)); }
  Step next(MsgId limit = kNoLimit) { return batch_.next(limit); }
  // Tails of every unknown user: `inbox`, `outbox`.
  void load(std::int64_t inbox = 0, std::int64_t outbox = 0) {
    for (std::size_t i = 0; i < batch_.reads().unknown_users().size(); ++i)
      batch_.reads().set_tails(i, inbox, outbox);
  }
  // To the first kStore.
  void to_store() {
    begin();
    ASSERT_EQ(next(), Step::kLoadTails);
    load();
    ASSERT_EQ(next(), Step::kStore);
  }
  // After an error: tails again, and to the lookup.
  void to_lookup(std::int64_t inbox = 0, std::int64_t outbox = 0) {
    ASSERT_EQ(next(), Step::kLoadTails);
    load(inbox, outbox);
    ASSERT_EQ(next(), Step::kLookup);
  }
  void end() {
    EXPECT_EQ(next(), Step::kDone);
    done_ = batch_.take();
  }
  int play(const std::function<std::optional<DbFault>(std::span<InboxWork* const>)>& server);
  Outcome outcome(std::size_t i) const { return done_.at(i)->outcome; }
  std::int64_t seq(std::size_t i) const {
    const auto* outbox = done_.at(i).as<OutboxWork>();
    return outbox != nullptr ? outbox->seq : done_[i].as<InboxWork>()->seq;
  }

  SteadyTime now_ = SteadyTime() + std::chrono::hours(1);
  static TenurePtr tenure(std::uint64_t barrier, std::uint64_t slot_epoch) {
    auto made = std::make_shared<Tenure>();
    made->epoch = 1;
    made->barrier = barrier;
    made->slot_epochs.fill(slot_epoch);
    return made;
  }

  TenurePtr tenure_ = tenure(0, 1);
  TailCache tails_{100};
  MsgIdClock clock_{1};
  WriterBatch batch_{tails_, clock_};
  std::vector<WriterWorkPtr> works_;
  std::vector<WriterWorkPtr> done_;
  int pauses_ = 0;
};

TEST_F(WriterBatchTest, NumbersInOrderAndSortsByKey) {
  add_inbox("b", 1);
  add_inbox("a", 2);
  add_inbox("b", 3);
  add_outbox("b", "x");
  begin();
  ASSERT_EQ(next(), Step::kLoadTails);
  EXPECT_EQ(batch_.reads().unknown_users().size(), 2U);
  load(10, 20);
  ASSERT_EQ(next(), Step::kStore);
  ASSERT_EQ(batch_.inbox().size(), 3U);
  EXPECT_EQ(batch_.inbox()[0]->message.id, 2);
  EXPECT_EQ(batch_.inbox()[1]->message.id, 1);
  EXPECT_EQ(batch_.inbox()[2]->message.id, 3);
  batch_.stored();
  end();
  EXPECT_EQ(seq(0), 11);
  EXPECT_EQ(seq(1), 11);
  EXPECT_EQ(seq(2), 12);
  EXPECT_EQ(seq(3), 21);
  // The next batch knows the tails.
  add_inbox("b", 4);
  begin();
  ASSERT_EQ(next(), Step::kStore);
  EXPECT_EQ(batch_.inbox()[0]->seq, 13);
}

TEST_F(WriterBatchTest, RepeatsWithinABatchTakeTheFirstsResult) {
  add_outbox("a", "x");
  add_outbox("a", "x");
  add_outbox("b", "x");
  add_inbox("a", 5);
  add_inbox("a", 5);
  to_store();
  EXPECT_EQ(batch_.outbox().size(), 2U);
  EXPECT_EQ(batch_.inbox().size(), 1U);
  batch_.stored();
  end();
  EXPECT_EQ(outcome(0), Outcome::kStored);
  EXPECT_EQ(outcome(1), Outcome::kExists);
  EXPECT_EQ(done_[1].as<OutboxWork>()->message.id, done_[0].as<OutboxWork>()->message.id);
  EXPECT_EQ(done_[1].as<OutboxWork>()->stored_for.to, "to-x");
  EXPECT_EQ(outcome(2), Outcome::kStored);
  EXPECT_EQ(outcome(4), Outcome::kExists);
  EXPECT_EQ(seq(4), seq(3));
}

TEST_F(WriterBatchTest, LooksUpAfterADuplicateAndForAMinute) {
  add_outbox("a", "old");
  add_outbox("a", "new");
  to_store();
  failed(DbFault::kDuplicate, DbSent::kNothing);
  to_lookup(0, 7);
  ASSERT_EQ(batch_.reads().lookup_outbox().size(), 2U);
  batch_.reads().found_outbox(0, {.seq = 3, .message = {.id = 99, .to = "t", .sent_ms = 1, .command = 30}},
                              now_);
  batch_.reads().looked_up();
  ASSERT_EQ(next(), Step::kStore);
  ASSERT_EQ(batch_.outbox().size(), 1U);
  batch_.stored();
  end();
  EXPECT_EQ(outcome(0), Outcome::kExists);
  EXPECT_EQ(done_[0].as<OutboxWork>()->message.id, 99);
  EXPECT_EQ(seq(1), 8);

  add_outbox("a", "later");
  begin();
  ASSERT_EQ(next(), Step::kLookup);
  batch_.reads().looked_up();
  ASSERT_EQ(next(), Step::kStore);
  batch_.stored();
  end();
  now_ += std::chrono::seconds(61);
  add_outbox("a", "much later");
  begin();
  EXPECT_EQ(next(), Step::kStore);
}

TEST_F(WriterBatchTest, LostBeforeCommitReconnectsOnceMoreAndStores) {
  add_inbox("a", 1);
  to_store();
  failed(DbFault::kLost, DbSent::kNothing);
  to_lookup();
  batch_.reads().looked_up();
  ASSERT_EQ(next(), Step::kStore);
  batch_.stored();
  end();
  EXPECT_EQ(outcome(0), Outcome::kStored);
}

TEST_F(WriterBatchTest, LostBeforeCommitAndNoServerIsARefusal) {
  add_inbox("a", 1);
  add_inbox("a", 1);
  to_store();
  failed(DbFault::kLost, DbSent::kNothing);
  ASSERT_EQ(next(), Step::kLoadTails);
  unreachable();
  end();
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(outcome(i), Outcome::kRefused);
    EXPECT_EQ(done_[i]->error.code, Code::kUnavailable);
  }
}

TEST_F(WriterBatchTest, UnknownCommitIsNeverGivenUp) {
  add_outbox("a", "x");
  add_outbox("b", "y");
  to_store();
  const MsgId first_id = batch_.outbox()[0]->message.id;
  failed(DbFault::kLost, DbSent::kStatement);
  EXPECT_TRUE(batch_.unsettled());
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(next(), Step::kBarrier);
    unreachable();
    ASSERT_EQ(next(), Step::kWait);
  }
  ASSERT_EQ(next(), Step::kBarrier);
  failed(DbFault::kConflict, DbSent::kNothing);  // the transaction in doubt still holds its lock
  ASSERT_EQ(next(), Step::kWait);
  ASSERT_EQ(next(), Step::kBarrier);
  batch_.barrier_passed(tenure(1, 1));
  ASSERT_EQ(next(), Step::kLoadTails);
  failed(DbFault::kOther, DbSent::kNothing);
  ASSERT_EQ(next(), Step::kWait);
  to_lookup(0, 1);
  batch_.reads().found_outbox(0, {.seq = 1, .message = {.id = first_id, .to = "to-x"}}, now_);
  batch_.reads().looked_up();
  ASSERT_EQ(next(), Step::kStore);
  EXPECT_EQ(batch_.outbox().size(), 1U);
  batch_.stored();
  end();
  EXPECT_EQ(outcome(0), Outcome::kStored);  // by this work: it found its own id
  EXPECT_EQ(outcome(1), Outcome::kStored);
}

TEST_F(WriterBatchTest, FencedAtTheBarrierStillTellsWhatWasStored) {
  add_inbox("a", 1);
  add_inbox("a", 2);
  to_store();
  failed(DbFault::kLost, DbSent::kStatement);
  ASSERT_EQ(next(), Step::kBarrier);
  batch_.fenced();
  to_lookup(5, 5);
  batch_.reads().found_inbox(0, 1);
  batch_.reads().looked_up();
  end();
  EXPECT_EQ(outcome(0), Outcome::kStored);
  EXPECT_EQ(outcome(1), Outcome::kRefused);
  EXPECT_EQ(done_[1]->error.code, Code::kUnavailable);
}

TEST_F(WriterBatchTest, FencedBeforeStoringRefusesEverything) {
  add_inbox("a", 1);
  add_outbox("a", "x");
  to_store();
  batch_.fenced();
  end();
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  EXPECT_EQ(outcome(1), Outcome::kRefused);
}

TEST_F(WriterBatchTest, ABarrierOfAnotherWriterCostsARefusal) {
  add_inbox("a", 1);
  to_store();
  EXPECT_EQ(batch_.tenure().barrier, 0U);
  batch_.moved(error(DbFault::kConflict), tenure(7, 1));
  to_lookup();
  batch_.reads().looked_up();
  ASSERT_EQ(next(), Step::kStore);
  EXPECT_EQ(batch_.tenure().barrier, 7U);
  batch_.stored();
  end();
  EXPECT_EQ(outcome(0), Outcome::kStored);
}

// Gone, or gone and acquired anew: what was taken under the lease before is not stored under the present one.
TEST_F(WriterBatchTest, WhatMovesGoesOnWithoutTheSlotsThatAreGone) {
  for (const std::uint64_t slot_epoch : {0U, 2U}) {
    add_inbox("a", 1);
    add_inbox("b", 2);
    works_[1]->slot = 5;
    add_outbox("c", "x");
    to_store();
    auto present = std::make_shared<Tenure>(*tenure(1, 1));
    present->slot_epochs[5] = slot_epoch;
    batch_.moved(error(DbFault::kConflict), present);
    ASSERT_EQ(next(), Step::kLoadTails);
    load();
    ASSERT_EQ(next(), Step::kLookup);
    batch_.reads().looked_up();
    ASSERT_EQ(next(), Step::kStore);
    ASSERT_EQ(batch_.inbox().size(), 1U);
    EXPECT_EQ(batch_.inbox()[0]->message.id, 1);
    EXPECT_EQ(batch_.outbox().size(), 1U);
    batch_.stored();
    end();
    EXPECT_EQ(outcome(0), Outcome::kStored);
    EXPECT_EQ(outcome(1), Outcome::kRefused);
    EXPECT_EQ(done_[1]->error.code, Code::kUnavailable);
    EXPECT_EQ(outcome(2), Outcome::kStored);
    tails_.forget_all();
  }
}

TEST_F(WriterBatchTest, WhatIsInDoubtInASlotThatIsGoneIsLookedUpFirst) {
  add_inbox("a", 1);
  add_inbox("b", 2);
  to_store();
  failed(DbFault::kLost, DbSent::kStatement);
  ASSERT_EQ(next(), Step::kBarrier);
  batch_.barrier_passed(tenure(1, 0));
  to_lookup(1, 0);
  batch_.reads().found_inbox(0, 1);
  batch_.reads().looked_up();
  end();
  EXPECT_EQ(outcome(0), Outcome::kStored);
  EXPECT_EQ(outcome(1), Outcome::kRefused);
}

TEST_F(WriterBatchTest, TailsAreKnownUnderOneLeaseOnly) {
  add_inbox("a", 1);
  to_store();
  batch_.stored();
  end();
  tenure_ = tenure(0, 2);
  add_inbox("a", 2);
  begin();
  ASSERT_EQ(next(), Step::kLoadTails);
  load(9, 0);
  ASSERT_EQ(next(), Step::kStore);
  EXPECT_EQ(batch_.inbox()[0]->seq, 10);
}

TEST_F(WriterBatchTest, ConflictIsRetriedAFewTimes) {
  add_inbox("a", 1);
  to_store();
  int attempts = 1;
  while (true) {
    failed(DbFault::kConflict, DbSent::kNothing);
    Step step = next();
    if (step == Step::kDone) break;
    if (attempts > 1) {
      ASSERT_EQ(step, Step::kWait) << "the second time and later not at once";
      step = next();
    }
    ASSERT_EQ(step, Step::kLoadTails);
    load();
    ASSERT_EQ(next(), Step::kLookup);
    batch_.reads().looked_up();
    ASSERT_EQ(next(), Step::kStore);
    ASSERT_LT(++attempts, 20);
  }
  done_ = batch_.take();
  EXPECT_GT(attempts, 2);
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  EXPECT_EQ(done_[0]->error.code, Code::kUnavailable);
}

TEST_F(WriterBatchTest, PermanentErrorSplitsParksAndRefuses) {
  add_inbox("a", 1);
  add_inbox("a", 2);
  add_outbox("a", "x");
  add_inbox("a", 3);
  to_store();
  failed(DbFault::kPermanent, DbSent::kNothing);
  std::int64_t stored = 0;
  int parked = 0;
  for (Step step = next(); step != Step::kDone; step = next()) {
    if (step == Step::kLoadTails) load(stored, 0);
    if (step == Step::kLookup) batch_.reads().looked_up();
    if (step == Step::kPark) {
      ++parked;
      EXPECT_EQ(batch_.inbox()[0]->message.id, 2);
      batch_.parked();
    }
    if (step != Step::kStore) continue;
    ASSERT_EQ(batch_.inbox().size() + batch_.outbox().size(), 1U);
    if (!batch_.outbox().empty() || batch_.inbox()[0]->message.id == 2) {
      failed(DbFault::kPermanent, DbSent::kNothing);
    } else {
      batch_.stored();
      ++stored;
    }
  }
  done_ = batch_.take();
  EXPECT_EQ(parked, 1);
  EXPECT_EQ(outcome(0), Outcome::kStored);
  EXPECT_EQ(outcome(1), Outcome::kParked);
  EXPECT_EQ(outcome(2), Outcome::kRefused);
  EXPECT_EQ(done_[2]->error.code, Code::kInternal);
  EXPECT_EQ(outcome(3), Outcome::kStored);
  EXPECT_EQ(seq(3), 2);
}

// Plays the server: what becomes of the rows of a transaction. Counts transactions.
int WriterBatchTest::play(const std::function<std::optional<DbFault>(std::span<InboxWork* const>)>& server) {
  int transactions = 0;
  for (Step step = next(); step != Step::kDone && transactions < 1000; step = next()) {
    if (step == Step::kLoadTails) load();
    if (step == Step::kLookup) batch_.reads().looked_up();
    if (step == Step::kBarrier) batch_.barrier_passed(tenure(1, 1));
    if (step == Step::kWait) ++pauses_;
    if (step == Step::kPark) batch_.parked();
    if (step != Step::kStore) continue;
    ++transactions;
    const auto fault = server(batch_.inbox());
    if (fault) {
      failed(*fault, DbSent::kStatement);
    } else {
      batch_.stored();
    }
  }
  done_ = batch_.take();
  return transactions;
}

TEST_F(WriterBatchTest, ARowThatKillsItsConnectionIsFoundAndTheRestIsStored) {
  for (int i = 1; i <= 20; ++i) add_inbox("u" + std::to_string(i), i);
  begin();
  const auto poisoned = [](std::span<InboxWork* const> rows) -> std::optional<DbFault> {
    const bool has = std::ranges::any_of(rows, [](const InboxWork* row) { return row->message.id == 7; });
    return has ? std::optional(DbFault::kLost) : std::nullopt;
  };
  EXPECT_LT(play(poisoned), 30);
  EXPECT_GT(pauses_, 2);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(outcome(i), i == 6 ? Outcome::kRefused : Outcome::kStored) << i;
  }
  EXPECT_EQ(done_[6]->error.code, Code::kUnavailable);
  EXPECT_TRUE(batch_.stored_some());
}

TEST_F(WriterBatchTest, NoBatchIsTriedForEver) {
  for (const DbFault fault : {DbFault::kLost, DbFault::kDoubtful, DbFault::kDuplicate, DbFault::kConflict,
                              DbFault::kPermanent, DbFault::kUnable, DbFault::kOther}) {
    for (int i = 1; i <= 100; ++i) add_outbox("u" + std::to_string(i), "x");
    add_outbox("u1", "y");
    begin();
    pauses_ = 0;
    const int transactions = play([fault](auto) { return fault; });
    const bool of_the_row = fault == DbFault::kPermanent || fault == DbFault::kDuplicate;
    EXPECT_LT(transactions, of_the_row ? 600 : 20) << fault_name(fault);
    EXPECT_LT(pauses_, 20) << fault_name(fault);
    ASSERT_TRUE(batch_.refusal());
    for (const auto& work : done_) {
      EXPECT_EQ(work->outcome, Outcome::kRefused);
      EXPECT_EQ(work->error.code, of_the_row ? Code::kInternal : Code::kUnavailable);
      EXPECT_FALSE(work->error.message.contains(kTelltale));
    }
  }
}

TEST_F(WriterBatchTest, AnUnknownErrorOfOneRowRefusesThatRowOnly) {
  for (int i = 1; i <= 5; ++i) add_inbox("u" + std::to_string(i), i);
  begin();
  play([](std::span<InboxWork* const> rows) -> std::optional<DbFault> {
    const bool has = std::ranges::any_of(rows, [](const InboxWork* row) { return row->message.id == 3; });
    return has ? std::optional(DbFault::kOther) : std::nullopt;
  });
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(outcome(i), i == 2 ? Outcome::kRefused : Outcome::kStored) << i;
  }
  EXPECT_EQ(pauses_, 0);
}

TEST_F(WriterBatchTest, WhatFailedWhileItWasCommittedIsLookedUpBeforeItIsRefused) {
  add_inbox("a", 1);
  add_inbox("b", 2);
  to_store();
  failed(DbFault::kDoubtful, DbSent::kStatement);
  EXPECT_TRUE(batch_.unsettled());
  ASSERT_EQ(next(), Step::kBarrier);
  batch_.barrier_passed(tenure(1, 1));
  to_lookup(1, 0);
  batch_.reads().found_inbox(0, 1);
  batch_.reads().looked_up();
  end();
  EXPECT_EQ(outcome(0), Outcome::kStored);
  EXPECT_EQ(outcome(1), Outcome::kRefused);
}

TEST_F(WriterBatchTest, GivenUpAtTheEndOfTheProcessOnlyOnceSettled) {
  add_inbox("a", 1);
  to_store();
  failed(DbFault::kLost, DbSent::kStatement);
  batch_.give_up({Code::kUnavailable, "stopping"});
  ASSERT_EQ(next(), Step::kBarrier);
  batch_.barrier_passed(tenure(1, 1));
  to_lookup(1, 0);
  batch_.reads().looked_up();
  end();
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  EXPECT_EQ(done_[0]->error.message, "stopping");
}

TEST_F(WriterBatchTest, IdsAboveTheLimitAreNotIssued) {
  add_outbox("a", "x");
  add_inbox("a", 1);
  begin();
  ASSERT_EQ(next(0), Step::kLoadTails);
  load();
  ASSERT_EQ(next(0), Step::kStore);
  EXPECT_TRUE(batch_.outbox().empty());
  EXPECT_EQ(batch_.inbox().size(), 1U);
  batch_.stored();
  end();
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  EXPECT_EQ(done_[0]->error.code, Code::kUnavailable);
}

TEST_F(WriterBatchTest, ReadOnlyAnswerToCommitIsARefusalOtherAnswersAreNot) {
  add_inbox("a", 1);
  to_store();
  failed(DbFault::kUnable, DbSent::kCommit);
  end();
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  add_inbox("a", 2);
  begin();
  ASSERT_EQ(next(), Step::kLoadTails);
  load();
  ASSERT_EQ(next(), Step::kStore);
  failed(DbFault::kOther, DbSent::kCommit);
  EXPECT_EQ(next(), Step::kBarrier);
}

TEST_F(WriterBatchTest, AbandonedBatchSaysThatNobodyKnows) {
  add_inbox("a", 1);
  to_store();
  failed(DbFault::kLost, DbSent::kStatement);
  ASSERT_EQ(next(), Step::kBarrier);
  unreachable();
  ASSERT_EQ(next(), Step::kWait);
  batch_.abandon();
  end();
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  EXPECT_EQ(done_[0]->error.code, Code::kDeadlineExceeded);
}

TEST_F(WriterBatchTest, WorkPastItsDeadlineIsRefusedAlone) {
  add_inbox("a", 1);
  add_inbox("a", 2);
  works_[0]->deadline = now_ - Milliseconds(1);
  to_store();
  EXPECT_EQ(batch_.inbox().size(), 1U);
  batch_.stored();
  end();
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  EXPECT_EQ(seq(1), 1);
}

// Two messages of one sender wait in one lane: the first is refused with its batch, the second must not be
// stored by the next batch before it.
TEST_F(WriterBatchTest, NothingOvertakesARefusedRowOfItsChain) {
  const auto chain = std::make_shared<bool>(false);
  const auto add = [&](MsgId id, std::shared_ptr<bool> of) {
    add_inbox("bob", id);
    works_.back().as<InboxWork>()->chain_broken = std::move(of);
  };
  add(1, chain);
  begin();
  ASSERT_EQ(next(), Step::kLoadTails);
  unreachable();
  end();
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  add(2, chain);
  add(3, nullptr);
  add(4, std::make_shared<bool>(false));
  to_store();
  ASSERT_EQ(batch_.inbox().size(), 2U);
  batch_.stored();
  end();
  EXPECT_EQ(outcome(0), Outcome::kRefused);
  EXPECT_EQ(done_[0].as<InboxWork>()->error.code, Code::kUnavailable);
  EXPECT_EQ(outcome(1), Outcome::kStored);
  EXPECT_EQ(seq(1), 1);
  EXPECT_EQ(seq(2), 2);
}

TEST_F(WriterBatchTest, NothingOvertakesARowThatWasRefusedBeforeTheQueue) {
  const auto chain = std::make_shared<bool>(false);
  for (const MsgId id : {1, 2}) {
    add_inbox("bob", id);
    works_.back().as<InboxWork>()->chain_broken = chain;
  }
  works_[0]->outcome = Outcome::kRefused;  // the queue was full
  begin();
  ASSERT_EQ(next(), Step::kLoadTails);
  load();
  end();
  EXPECT_EQ(outcome(1), Outcome::kRefused);
}

TEST_F(WriterBatchTest, CursorsAreReadForWhoAsksForTails) {
  add_outbox("u", "a");
  works_.push_back(std::make_unique<TailsWork>());
  works_.back()->user = {"app", "u"};
  begin();
  EXPECT_EQ(next(), Step::kLoadTails);
  load(3, 4);
  ASSERT_EQ(next(), Step::kLoadCursors);
  ASSERT_EQ(batch_.reads().cursor_works().size(), 1U);
  batch_.reads().cursor_works()[0]->cursors.push_back({DeviceClass::kWeb, CursorKind::kInbox, 1});
  failed(DbFault::kConflict, DbSent::kNothing);
  EXPECT_EQ(next(), Step::kLoadTails);
  load(3, 4);
  ASSERT_EQ(next(), Step::kLoadCursors);
  batch_.reads().cursor_works()[0]->cursors.push_back({DeviceClass::kWeb, CursorKind::kInbox, 2});
  batch_.reads().cursors_loaded();
  if (const Step step = next(); step == Step::kLookup) {
    batch_.reads().looked_up();
    ASSERT_EQ(next(), Step::kStore);
  } else {
    ASSERT_EQ(step, Step::kStore);
  }
  batch_.stored();
  end();
  const auto& tails = *done_[1].as<TailsWork>();
  EXPECT_EQ(tails.inbox_seq, 3);
  ASSERT_EQ(tails.cursors.size(), 1U);
  EXPECT_EQ(tails.cursors[0].seq, 2);
}

}  // namespace
}  // namespace hongyan::logic
