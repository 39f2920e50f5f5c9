// Lanes: how accepted messages get from the owner of the sender's slot to the owner of the receiver's slot.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "logic/message/steps.h"
#include "logic/message/works.h"
#include "logic/user/peer_port.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// A lane's name: (source slot, destination slot).
struct LaneKey {
  Slot source = 0;
  Slot destination = 0;
  bool operator==(const LaneKey&) const = default;
  [[nodiscard]] std::uint32_t number() const noexcept { return (std::uint32_t{source} << 16) | destination; }
};
struct LaneKeyHash {
  std::size_t operator()(const LaneKey& key) const noexcept {
    return std::hash<std::uint32_t>()(key.number());
  }
};

// Names a batch. A source slot that changes hands has another epoch; of the batches of one epoch and lane a later
// one has a higher number.
struct BatchId {
  LaneKey lane;
  std::uint64_t source_epoch = 0;
  std::uint64_t number = 0;
  bool operator==(const BatchId&) const = default;
};

// What the source sends: in order; the next batch follows only when this one came back.
struct LaneBatch {
  BatchId id;
  Origin source;
  std::vector<DeliverWorkPtr> works;
};

// What became of a batch.
enum class BatchFate : std::uint8_t {
  kTried,    // each work has its outcome
  kRefused,  // nothing was tried: the destination is not served there, or knows a later owner of the source
  kLost,     // not known: it may have been stored, or be stored yet
};

// What comes back: the same works, in any order.
struct LaneResult {
  BatchId id;
  BatchFate fate = BatchFate::kTried;
  std::vector<DeliverWorkPtr> works;
};

// Where batches and results go: the destination's owner, or the slot thread of the source. Only queues; what cannot
// be sent comes back as a result.
class LanePort {
 public:
  virtual ~LanePort() = default;
  virtual void send_batch(LaneBatch batch) = 0;
  virtual void send_result(const Origin& source, LaneResult result) = 0;
};

// The source side. A lane exists while it has something to do: it keeps its messages in order with one batch
// in flight, tries again what did not get through (after 50 ms to 1 s), and lets go of an id once its row is
// committed. Beyond max_lane_bytes it keeps only the ids and reads the contents again when their turn comes.
// One thread.
class Lanes {
 public:
  Lanes(ThreadContext& context, LanePort& port, Steps& steps)
      : context_(context), port_(port), steps_(steps) {}

  // Appends. work->lane_id is in the slot's unfinished ids already; user (the receiver), slot etc. are filled
  // in.
  void add(Slot source, DeliverWorkPtr work);
  // Sends what add() made ready. Call once at the end of a turn.
  void send_ready();
  // Of another batch than the one in flight (one that was given up as lost, or of a former tenure): changes nothing.
  void result(LaneResult result);
  // Lanes whose time to try again has come.
  void tick();
  // The slots may have another owner: their lanes try again at once.
  void wake(std::span<const Slot> destinations);

  // These source slots have left: their next owner finds what is not delivered, and delivers it.
  void forget(const std::function<bool(Slot)>& lost);

  // Upkeep for one shard (of the source slots): what to write to and delete from im_pending.
  void collect_pending(std::size_t shard, std::vector<PendingEntry>& add, std::vector<PendingEntry>& remove);
  // The outcome of the upkeep that carried these entries.
  void pending_written(const std::vector<PendingEntry>& added, const std::vector<PendingEntry>& removed,
                       bool committed);

  [[nodiscard]] std::size_t size() const noexcept { return lanes_.size(); }
  // What rows of groups on their way to members hold, contents included.
  [[nodiscard]] std::int64_t fan_out_bytes() const noexcept {
    return fan_out_bytes_ + contents_->load(std::memory_order_relaxed);
  }

 private:
  struct Entry {
    MsgId id = 0;
    DeliverWorkPtr work;  // null: in flight, or to be read again
    std::string member;   // of a group's fan-out: the receiver
    SteadyTime since;
    bool finished = false;
  };
  struct Lane {
    LaneKey key;
    std::deque<Entry> entries;
    std::size_t bytes = 0;           // of contents held
    std::int64_t fan_out_bytes = 0;  // of those, rows of groups
    std::size_t in_flight = 0;       // entries from the front that are away as a batch
    BatchId batch;                   // which one
    bool refilling = false;
    bool ready = false;  // stands in ready_
    int failures = 0;    // one after the other
    SteadyTime retry_at{};
  };

  void make_ready(Lane& lane);
  void send(Lane& lane);
  void refill(Lane& lane);
  template <typename Row>
  void refilled(LaneKey key, std::uint64_t source_epoch, Result<std::vector<Row>> rows);
  void back_off(Lane& lane);
  void finish(Lane& lane, Entry& entry);
  void put_back(Lane& lane, std::vector<DeliverWorkPtr> works, bool lost);
  void hold_bytes(Lane& lane, std::int64_t bytes, bool fan_out);
  // Counts the content of a group's message once for all its rows, which come one after the other.
  void hold_content(DeliverWork& work);
  void after_batch(Lane& lane, std::size_t batch_size, bool again);
  void drop_if_empty(Lane& lane);

  ThreadContext& context_;
  LanePort& port_;
  Steps& steps_;
  std::unordered_map<LaneKey, Lane, LaneKeyHash> lanes_;
  std::vector<LaneKey> ready_;
  std::uint64_t batches_ = 0;  // sent; the number of the last
  std::int64_t fan_out_bytes_ = 0;
  // Works may end on other threads, after the lanes.
  std::shared_ptr<std::atomic<std::int64_t>> contents_ = std::make_shared<std::atomic<std::int64_t>>(0);
  std::weak_ptr<void> latest_held_;              // of the row of a group that came last,
  const std::string* latest_content_ = nullptr;  // whose content this is
  std::vector<PendingEntry> to_remove_;          // finished ids that stand in im_pending
};

}  // namespace hongyan::logic
