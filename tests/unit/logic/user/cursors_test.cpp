// What devices acknowledged, through the pipeline into the shard and back.
#include "tests/unit/logic/pipeline/pipeline_harness.h"

namespace hongyan::logic {
namespace {

constexpr std::uint32_t kPhone = 1;
constexpr std::uint32_t kPage = 3;

class CursorsTest : public PipelineHarness {
 protected:
  CursorsTest() { acquire(); }

  void fill(std::string_view uid, int count) {
    for (int i = 0; i < count; ++i) send(next_seq_++, "alice", uid, "id-" + std::to_string(++sent_));
    settle();
  }
  // Logs in; the cursor that the device is told.
  std::int64_t told(std::string_view uid, std::uint64_t channel, std::uint32_t device) {
    const std::uint32_t seq = next_seq_++;
    login(seq, uid, channel, device);
    settle();
    return body_of<client::AuthResp>(seq).acked_inbox_seq();
  }
  std::int64_t stored(std::string_view uid, DeviceClass device, CursorKind kind = CursorKind::kInbox) {
    return shard_of(uid).cursors[{"demo", std::string(uid)}][{device, kind}];
  }
  void pull(std::string_view uid, std::uint64_t channel, std::int64_t offset, std::int64_t outbox_offset,
            std::uint32_t device) {
    client::PullReq body;
    body.set_offset(offset);
    body.set_outbox_offset(outbox_offset);
    request(gate_, next_seq_++, uid, client::COMMAND_PULL, body.SerializeAsString(), channel, device);
    settle();
  }
  void new_process() {
    restart();
    acquire();
  }
  std::size_t changed() {
    pass(Milliseconds(0));
    return static_cast<std::size_t>(counters_[0].changed_cursors.load() +
                                    counters_[1].changed_cursors.load());
  }

  std::uint32_t next_seq_ = 1000;
  int sent_ = 0;
};

TEST_F(CursorsTest, AreWrittenWithinTheIntervalAndReadBack) {
  fill("bob", 5);
  EXPECT_EQ(told("bob", 500, kPhone), 0);
  pass(Milliseconds(100));
  ack("bob", 500, 3, kPhone);
  pass(Milliseconds(4900));
  EXPECT_EQ(stored("bob", DeviceClass::kMobile), 0);
  pass(Milliseconds(200));
  EXPECT_EQ(stored("bob", DeviceClass::kMobile), 3);
  new_process();
  EXPECT_EQ(told("bob", 501, kPhone), 3);
}

TEST_F(CursorsTest, EachClassOfDevicesHasItsOwn) {
  fill("bob", 5);
  told("bob", 500, kPhone);
  told("bob", 501, kPage);
  ack("bob", 500, 2, kPhone);
  ack("bob", 501, 4, kPage);
  pass(Milliseconds(5100));
  new_process();
  EXPECT_EQ(told("bob", 500, kPhone), 2);
  EXPECT_EQ(told("bob", 501, kPage), 4);
  EXPECT_EQ(told("bob", 502, 7), 0);
}

TEST_F(CursorsTest, PullsAcknowledgeBothBoxes) {
  fill("bob", 5);
  for (int i = 0; i < 3; ++i) send(next_seq_++, "bob", "carol", "b-" + std::to_string(i));
  settle();
  told("bob", 500, kPhone);
  pull("bob", 500, 4, 2, kPhone);
  pull("bob", 500, 1, 1, kPhone);  // holds less again: no mistake, and nothing moves
  EXPECT_EQ(count(&PipelineCounters::bad_acks), 0U);
  pass(Milliseconds(5100));
  EXPECT_EQ(stored("bob", DeviceClass::kMobile), 4);
  EXPECT_EQ(stored("bob", DeviceClass::kMobile, CursorKind::kOutbox), 2);
}

TEST_F(CursorsTest, OnlyWhatChangedIsWritten) {
  fill("bob", 5);
  told("bob", 500, kPhone);
  told("bob", 501, kPage);
  ack("bob", 500, 1, kPhone);
  ack("bob", 500, 2, kPhone);
  ack("bob", 500, 2, kPhone);
  pass(Milliseconds(5100));
  EXPECT_EQ(shard_of("bob").cursor_rows, std::vector<std::size_t>{1});
  ack("bob", 500, 2, kPhone);  // again, without news
  pass(Milliseconds(5100));
  EXPECT_EQ(shard_of("bob").cursor_rows, std::vector<std::size_t>{1});
}

TEST_F(CursorsTest, BadAcksAreNeitherKeptNorWritten) {
  fill("bob", 3);
  told("bob", 500, kPhone);
  ack("bob", 500, 4, kPhone);
  ack("bob", 500, 2, kPhone);
  ack("bob", 500, 1, kPhone);
  EXPECT_EQ(count(&PipelineCounters::bad_acks), 2U);
  pass(Milliseconds(5100));
  EXPECT_EQ(stored("bob", DeviceClass::kMobile), 2);
}

TEST_F(CursorsTest, AFailedFlushIsTriedAgain) {
  fill("bob", 5);
  told("bob", 500, kPhone);
  shard_of("bob").upkeep_works = false;
  ack("bob", 500, 2, kPhone);
  pass(Milliseconds(5100));
  ack("bob", 500, 3, kPhone);
  pass(Milliseconds(5100));
  EXPECT_EQ(stored("bob", DeviceClass::kMobile), 0);
  EXPECT_EQ(changed(), 1U);
  shard_of("bob").upkeep_works = true;
  pass(Milliseconds(5100));
  EXPECT_EQ(stored("bob", DeviceClass::kMobile), 3);
  EXPECT_EQ(changed(), 0U);
}

TEST_F(CursorsTest, UsersStayInMemoryUntilTheirCursorsAreWritten) {
  config_.users_in_memory = 0;
  new_process();  // with that limit
  fill("bob", 5);
  told("bob", 500, kPhone);
  shard_of("bob").upkeep_works = false;
  ack("bob", 500, 5, kPhone);
  threads_[slot_of("demo", "bob") % kThreads]->session_closed(*gate_, 500);
  pass(Milliseconds(1100));
  EXPECT_NE(thread_of("bob").context().users.find("demo", "bob"), nullptr);
  shard_of("bob").upkeep_works = true;
  pass(Milliseconds(1100));  // with too many users in memory a flush does not wait for its interval
  EXPECT_EQ(stored("bob", DeviceClass::kMobile), 5);
  pass(Milliseconds(100));
  EXPECT_EQ(thread_of("bob").context().users.find("demo", "bob"), nullptr);
  EXPECT_EQ(told("bob", 501, kPhone), 5);
}

TEST_F(CursorsTest, AreReadEvenWhenTheTailsAreKnownOtherwise) {
  fill("bob", 5);
  send(next_seq_++, "bob", "alice", "out-1");
  settle();
  told("bob", 500, kPhone);
  ack("bob", 500, 4, kPhone);
  pass(Milliseconds(5100));
  new_process();
  send(next_seq_++, "bob", "bob", "out-2");  // makes both tails known
  settle();
  EXPECT_EQ(told("bob", 501, kPhone), 4);
}

TEST_F(CursorsTest, ManyAreWrittenInBatches) {
  constexpr std::size_t kUsers = 2 * Cursors::kBatch + 100;
  std::vector<std::string> uids;
  for (int i = 0; uids.size() < kUsers; ++i) {
    std::string uid = "u" + std::to_string(i);
    const Slot slot = slot_of("demo", uid);
    if (slot % kThreads == 0 && slot < kSlotCount / 2) uids.push_back(std::move(uid));
  }
  for (const auto& uid : uids) send(next_seq_++, uid, uid, "to-self");
  settle();
  std::uint64_t channel = 1;
  for (const auto& uid : uids) login(next_seq_++, uid, ++channel);
  settle();
  channel = 1;
  for (const auto& uid : uids) ack(uid, ++channel, 1);
  pass(Milliseconds(5100));
  EXPECT_EQ(shards_[0].cursor_rows, (std::vector<std::size_t>{Cursors::kBatch, Cursors::kBatch, 100}));
  EXPECT_EQ(changed(), 0U);
}

TEST_F(CursorsTest, TheLastFlushWritesAllAndTellsWhenItIsDone) {
  fill("bob", 5);
  told("bob", 500, kPhone);
  ack("bob", 500, 5, kPhone);
  int done = 0;
  for (auto& thread : threads_) thread->flush_cursors([&done] { ++done; });
  settle();
  EXPECT_EQ(done, 2);
  EXPECT_EQ(stored("bob", DeviceClass::kMobile), 5);

  send(next_seq_++, "alice", "bob", "last");
  settle();
  ack("bob", 500, 6, kPhone);
  shard_of("bob").upkeep_works = false;  // a shard that is away does not hold the process
  for (auto& thread : threads_) thread->flush_cursors([&done] { ++done; });
  settle();
  EXPECT_EQ(done, 4);
}

TEST_F(CursorsTest, AnOlderCopyOfTheDataDoesNotStopPushes) {
  shard_of("bob").cursors[{"demo", "bob"}][{DeviceClass::kMobile, CursorKind::kInbox}] = 100;
  fill("bob", 2);
  EXPECT_EQ(told("bob", 500, kPhone), 2);
  fill("bob", 1);
  EXPECT_EQ(gate_->pushes.size(), 1U);
}

}  // namespace
}  // namespace hongyan::logic
