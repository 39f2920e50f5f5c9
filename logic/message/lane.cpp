#include "logic/message/lane.h"

#include <algorithm>
#include <type_traits>

#include "common/base/backoff.h"
#include "common/log/log.h"
#include "logic/message/group_key.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kFirstDelay{50};
constexpr Milliseconds kLongestDelay{1000};
constexpr std::size_t kEntryBytes = 64;  // of an id without its content
constexpr std::size_t kRefillRows = 64;
constexpr std::size_t kBatchBytes = 1 << 20;

}  // namespace

void Lanes::hold_content(DeliverWork& work) {
  work.content_held = latest_held_.lock();
  if (work.content_held && latest_content_ == work.message.content.get()) return;
  const auto bytes = static_cast<std::int64_t>(work.message.content_bytes());
  contents_->fetch_add(bytes, std::memory_order_relaxed);
  work.content_held = std::shared_ptr<void>(contents_.get(), [contents = contents_, bytes](void*) {
    contents->fetch_sub(bytes, std::memory_order_relaxed);
  });
  latest_held_ = work.content_held;
  latest_content_ = work.message.content.get();
}

void Lanes::hold_bytes(Lane& lane, std::int64_t bytes, bool fan_out) {
  if (fan_out) {
    fan_out_bytes_ += bytes;
    lane.fan_out_bytes += bytes;
  }
  lane.bytes = static_cast<std::size_t>(static_cast<std::int64_t>(lane.bytes) + bytes);
  auto& total = context_.counters.unfinished_bytes;
  total.store(total.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

void Lanes::add(Slot source, DeliverWorkPtr work) {
  const LaneKey key{.source = source, .destination = work->slot};
  Lane& lane = lanes_[key];
  lane.key = key;
  Entry entry{.id = work->lane_id,
              .work = {},
              .member = work->message.group_seq != 0 ? work->user.uid : std::string(),
              .since = context_.now()};
  const bool fan_out = work->message.group_seq != 0;
  hold_bytes(lane, kEntryBytes, fan_out);
  // What lies behind an entry without content is read again with it. What changes a member's list of groups, or
  // is told to one member alone, cannot be read back as it was.
  if (lane.bytes <= context_.config.max_lane_bytes || work->membership || work->own_content) {
    hold_bytes(lane, static_cast<std::int64_t>(work->held_bytes()), fan_out);
    if (fan_out) hold_content(*work);
    entry.work = std::move(work);
  }
  lane.entries.push_back(std::move(entry));
  make_ready(lane);
}

void Lanes::make_ready(Lane& lane) {
  if (lane.ready || lane.in_flight > 0 || lane.refilling || lane.retry_at > context_.now()) return;
  lane.ready = true;
  ready_.push_back(lane.key);
}

void Lanes::send_ready() {
  std::vector<LaneKey> ready;
  ready.swap(ready_);
  for (const LaneKey& key : ready) {
    const auto it = lanes_.find(key);
    if (it == lanes_.end()) continue;
    it->second.ready = false;
    send(it->second);
  }
  if (ready_.empty()) {
    ready.clear();
    ready_.swap(ready);  // keeps its memory
  }
}

void Lanes::send(Lane& lane) {
  if (lane.in_flight > 0 || lane.refilling || lane.entries.empty()) return;
  if (!lane.entries.front().work) return refill(lane);
  lane.batch = {
      .lane = lane.key, .source_epoch = context_.slots.find(lane.key.source)->epoch, .number = ++batches_};
  LaneBatch batch{.id = lane.batch, .source = {.thread = context_.index}, .works = {}};
  std::size_t bytes = 0;
  for (auto& entry : lane.entries) {
    if (!entry.work || batch.works.size() == context_.config.lane_batch_rows || bytes >= kBatchBytes) break;
    bytes += entry.work->bytes();
    entry.work->lane_index = batch.works.size();
    batch.works.push_back(std::move(entry.work));
  }
  lane.in_flight = batch.works.size();
  port_.send_batch(std::move(batch));
}

void Lanes::put_back(Lane& lane, std::vector<DeliverWorkPtr> works, bool lost) {
  for (auto& work : works) {
    work->outcome = StoreWork::Outcome::kPending;
    work->lookup_first = work->lookup_first || lost;
    lane.entries[work->lane_index].work = std::move(work);
  }
}

void Lanes::back_off(Lane& lane) {
  context_.counters.lane_retries.add();
  lane.retry_at = context_.now() + doubled(kFirstDelay, kLongestDelay, lane.failures++);
}

void Lanes::finish(Lane& lane, Entry& entry) {
  entry.finished = true;
  SlotState& slot = *context_.slots.find(lane.key.source);
  UnfinishedIds& unfinished = slot.unfinished;
  const Slot destination = lane.key.destination;
  const bool was_pending = unfinished.is_pending(entry.id, destination);
  const bool last = unfinished.finished(entry.id, destination);
  if (was_pending && !unfinished.is_pending(entry.id, destination)) {
    to_remove_.push_back(
        {.slot = lane.key.source, .destination = destination, .id = entry.id, .slot_epoch = slot.epoch});
  }
  context_.slots.touch(lane.key.source);
  if (last && !entry.member.empty()) steps_.fanned_out(entry.id);
}

void Lanes::result(LaneResult result) {
  const auto it = lanes_.find(result.id.lane);
  if (it == lanes_.end() || it->second.in_flight == 0 || it->second.batch != result.id) return;
  Lane& lane = it->second;
  const bool tried = result.fate == BatchFate::kTried;
  bool again = !tried;
  std::vector<DeliverWorkPtr> unstored;
  for (auto& work : result.works) {
    const bool done = tried && (work->outcome == StoreWork::Outcome::kStored ||
                                work->outcome == StoreWork::Outcome::kExists ||
                                work->outcome == StoreWork::Outcome::kParked);
    if (done) {
      hold_bytes(lane, -static_cast<std::int64_t>(work->held_bytes() + kEntryBytes),
                 work->message.group_seq != 0);
      finish(lane, lane.entries[work->lane_index]);
    } else {
      again = true;
      unstored.push_back(std::move(work));
    }
  }
  put_back(lane, std::move(unstored), result.fate == BatchFate::kLost);
  after_batch(lane, lane.in_flight, again);
}

void Lanes::after_batch(Lane& lane, std::size_t batch_size, bool again) {
  const auto end = lane.entries.begin() + static_cast<std::ptrdiff_t>(batch_size);
  lane.entries.erase(std::remove_if(lane.entries.begin(), end, [](const Entry& e) { return e.finished; }),
                     end);
  lane.in_flight = 0;
  if (again) {
    back_off(lane);
  } else {
    lane.failures = 0;
    lane.retry_at = {};
  }
  if (!lane.entries.empty()) make_ready(lane);
  drop_if_empty(lane);
}

void Lanes::drop_if_empty(Lane& lane) {
  if (lane.entries.empty() && lane.in_flight == 0 && !lane.refilling) lanes_.erase(LaneKey(lane.key));
}

void Lanes::refill(Lane& lane) {
  // A lane may carry messages of users and of groups: those of one kind at a time.
  const bool of_group = !lane.entries.front().member.empty();
  std::vector<MsgId> ids;
  for (const auto& entry : lane.entries) {
    if (entry.work || ids.size() == kRefillRows || entry.member.empty() == of_group) break;
    if (ids.empty() || ids.back() != entry.id) ids.push_back(entry.id);
  }
  lane.refilling = true;
  const LaneKey key = lane.key;
  const auto done = [this, key, epoch = context_.slots.find(key.source)->epoch](auto rows) {
    auto read = std::make_shared<decltype(rows)>(std::move(rows));
    context_.later([this, key, epoch, read] { refilled(key, epoch, std::move(*read)); });
  };
  Shard& shard = context_.shards.of(key.source);
  if (of_group) {
    shard.read_placed(key.source, std::move(ids), done);
  } else {
    shard.read_accepted(key.source, std::move(ids), done);
  }
}

namespace {

MsgId lane_id_of(const RedoRow& row) { return row.message.id; }
MsgId lane_id_of(const GroupRedoRow& row) { return row.row.placed_id; }
DeliverWorkPtr work_of(const RedoRow& row, const std::string&) { return deliver(row.app_id, row.message); }
DeliverWorkPtr work_of(const GroupRedoRow& row, const std::string& member) {
  return deliver_to_member(row.app_id, row.row, member);
}

}  // namespace

template <typename Row>
void Lanes::refilled(LaneKey key, std::uint64_t source_epoch, Result<std::vector<Row>> rows) {
  const auto it = lanes_.find(key);
  if (it == lanes_.end() || !context_.slots.holds(key.source, source_epoch)) return;
  Lane& lane = it->second;
  lane.refilling = false;
  if (!rows) {
    log::warn("lane", "cannot read back source={} destination={} reason={}", key.source, key.destination,
              rows.error().message);
    return back_off(lane);
  }
  std::unordered_map<MsgId, const Row*> by_id;
  for (const auto& row : *rows) by_id.emplace(lane_id_of(row), &row);
  constexpr bool kOfGroup = std::is_same_v<Row, GroupRedoRow>;
  for (auto& entry : lane.entries) {
    const auto row = by_id.find(entry.id);
    if (row == by_id.end() || entry.member.empty() == kOfGroup) break;
    if (entry.work) continue;
    entry.work = work_of(*row->second, entry.member);
    entry.work->lookup_first = true;
    hold_bytes(lane, static_cast<std::int64_t>(entry.work->held_bytes()), kOfGroup);
    if (kOfGroup) hold_content(*entry.work);
  }
  if (!lane.entries.empty() && !lane.entries.front().work) {
    log::error("lane", "an accepted message is not in the database slot={} id={}", key.source,
               lane.entries.front().id);
    back_off(lane);
    return;
  }
  send(lane);
}

void Lanes::forget(const std::function<bool(Slot)>& lost) {
  for (auto it = lanes_.begin(); it != lanes_.end();) {
    Lane& lane = it->second;
    if (!lost(lane.key.source)) {
      ++it;
      continue;
    }
    hold_bytes(lane, -lane.fan_out_bytes, true);
    hold_bytes(lane, -static_cast<std::int64_t>(lane.bytes), false);
    it = lanes_.erase(it);
  }
  std::erase_if(to_remove_, [&](const PendingEntry& entry) { return lost(entry.slot); });
}

void Lanes::tick() {
  const SteadyTime now = context_.now();
  for (auto& [id, lane] : lanes_) {
    // Another node may reach a shard that is away from here.
    const Slot destination = lane.key.destination;
    if (!context_.owners.elsewhere(destination) && context_.shards.of(destination).down()) continue;
    if (lane.in_flight == 0 && !lane.refilling && lane.retry_at <= now) make_ready(lane);
  }
  send_ready();
}

void Lanes::wake(std::span<const Slot> destinations) {
  std::vector<bool> wanted(kSlotCount);
  for (const Slot slot : destinations) wanted[slot] = true;
  for (auto& [id, lane] : lanes_) {
    if (!wanted[lane.key.destination] || lane.in_flight > 0) continue;
    lane.failures = 0;
    lane.retry_at = {};
    make_ready(lane);
  }
}

void Lanes::collect_pending(std::size_t shard, std::vector<PendingEntry>& add,
                            std::vector<PendingEntry>& remove) {
  const SteadyTime now = context_.now();
  for (auto& [id, lane] : lanes_) {
    if (context_.shards.index_of(lane.key.source) != shard) continue;
    SlotState& slot = *context_.slots.find(lane.key.source);
    UnfinishedIds& unfinished = slot.unfinished;
    const Slot destination = lane.key.destination;
    MsgId moved = 0;  // members of one destination stand side by side, in one row
    for (const auto& entry : lane.entries) {
      if (now - entry.since < context_.config.pending_after) break;
      if (entry.finished || (entry.id != moved && unfinished.is_pending(entry.id, destination))) continue;
      if (entry.id != moved)
        add.push_back(
            {.slot = lane.key.source, .destination = destination, .id = entry.id, .slot_epoch = slot.epoch});
      moved = entry.id;
      unfinished.moved_to_pending(entry.id, destination);
      context_.slots.touch(lane.key.source);
    }
  }
  const auto mine = std::partition(
      to_remove_.begin(), to_remove_.end(),
      [this, shard](const PendingEntry& entry) { return context_.shards.index_of(entry.slot) != shard; });
  remove.assign(mine, to_remove_.end());
  to_remove_.erase(mine, to_remove_.end());
}

void Lanes::pending_written(const std::vector<PendingEntry>& added, const std::vector<PendingEntry>& removed,
                            bool committed) {
  if (committed) return;
  for (const auto& entry : added) {
    if (!context_.slots.holds(entry.slot, entry.slot_epoch)) continue;
    context_.slots.find(entry.slot)->unfinished.back_from_pending(entry.id, entry.destination);
    context_.slots.touch(entry.slot);
  }
  for (const auto& entry : removed) {
    if (context_.slots.holds(entry.slot, entry.slot_epoch)) to_remove_.push_back(entry);
  }
}

}  // namespace hongyan::logic
