#include "logic/message/lane.h"

#include <algorithm>

#include "common/log/log.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kFirstDelay{50};
constexpr Milliseconds kLongestDelay{1000};
constexpr std::size_t kEntryBytes = 64;  // of an id without its content
constexpr std::size_t kRefillRows = 64;

}  // namespace

DeliverWorkPtr deliver_work_of(RedoRow row, std::uint32_t thread_count) {
  auto work = std::make_unique<DeliverWork>();
  StoredMessage& message = row.message;
  work->slot = slot_of(row.app_id, message.peer);
  work->worker = work->slot % thread_count;
  work->user = {.app_id = std::move(row.app_id), .uid = std::move(message.peer)};
  work->msg_id = message.msg_id;
  work->from = std::move(row.from);
  work->client_msg_id = std::move(message.client_msg_id);
  work->content = std::make_shared<const std::string>(std::move(message.content));
  work->send_time = message.send_time;
  work->cmd_id = message.cmd_id;
  work->msg_type = message.msg_type;
  work->lookup_first = true;
  return work;
}

void Lanes::hold_bytes(Lane& lane, std::int64_t bytes) {
  lane.bytes = static_cast<std::size_t>(static_cast<std::int64_t>(lane.bytes) + bytes);
  auto& total = context_.counters.unfinished_bytes;
  total.store(total.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

void Lanes::add(Slot source, DeliverWorkPtr work) {
  const LaneKey key{.source = source, .destination = work->slot};
  Lane& lane = lanes_[number(key)];
  lane.key = key;
  Entry entry{.id = work->msg_id, .work = {}, .since = context_.now()};
  hold_bytes(lane, kEntryBytes);
  // What lies behind an entry without content is read again with it.
  if (lane.bytes <= context_.config.max_lane_bytes) {
    hold_bytes(lane, static_cast<std::int64_t>(work->bytes()));
    entry.work = std::move(work);
  }
  lane.entries.push_back(std::move(entry));
  make_ready(lane);
}

void Lanes::make_ready(Lane& lane) {
  if (lane.ready || lane.in_flight > 0 || lane.refilling || lane.retry_at > context_.now()) return;
  lane.ready = true;
  ready_.push_back(number(lane.key));
}

void Lanes::send_ready() {
  std::vector<std::uint32_t> ready;
  ready.swap(ready_);
  for (const std::uint32_t id : ready) {
    const auto it = lanes_.find(id);
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
  LaneBatch batch{.lane = lane.key, .source_thread = context_.index, .works = {}};
  for (auto& entry : lane.entries) {
    if (!entry.work || batch.works.size() == context_.config.lane_batch_rows) break;
    entry.work->lane_index = batch.works.size();
    batch.works.push_back(std::move(entry.work));
  }
  lane.in_flight = batch.works.size();
  if (!port_.send_batch(batch)) {
    put_back(lane, std::move(batch.works));
    lane.in_flight = 0;
    back_off(lane);
  }
}

void Lanes::put_back(Lane& lane, std::vector<DeliverWorkPtr> works) {
  for (auto& work : works) {
    work->outcome = WriterWork::Outcome::kPending;
    lane.entries[work->lane_index].work = std::move(work);
  }
}

void Lanes::back_off(Lane& lane) {
  PipelineCounters::add(context_.counters.lane_retries);
  lane.delay = std::clamp(lane.delay * 2, kFirstDelay, kLongestDelay);
  lane.retry_at = context_.now() + lane.delay;
}

void Lanes::finish(Lane& lane, Entry& entry) {
  entry.finished = true;
  SlotState* state = context_.slots.find(lane.key.source);
  if (state->unfinished.is_pending(entry.id)) {
    to_remove_.push_back({.slot = lane.key.source, .destination = lane.key.destination, .id = entry.id});
  }
  state->unfinished.finished(entry.id);
  context_.slots.touch(lane.key.source);
}

void Lanes::result(LaneResult result) {
  const auto it = lanes_.find(number(result.lane));
  if (it == lanes_.end()) return;
  Lane& lane = it->second;
  bool again = result.not_owner;
  std::vector<DeliverWorkPtr> unstored;
  for (auto& work : result.works) {
    const bool done = !result.not_owner && (work->outcome == WriterWork::Outcome::kStored ||
                                            work->outcome == WriterWork::Outcome::kExists ||
                                            work->outcome == WriterWork::Outcome::kParked);
    if (done) {
      hold_bytes(lane, -static_cast<std::int64_t>(work->bytes() + kEntryBytes));
      finish(lane, lane.entries[work->lane_index]);
    } else {
      again = true;
      unstored.push_back(std::move(work));
    }
  }
  put_back(lane, std::move(unstored));
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
    lane.delay = Milliseconds(0);
    lane.retry_at = {};
  }
  if (!lane.entries.empty()) make_ready(lane);
  drop_if_empty(lane);
}

void Lanes::drop_if_empty(Lane& lane) {
  if (lane.entries.empty() && lane.in_flight == 0 && !lane.refilling) lanes_.erase(number(lane.key));
}

void Lanes::refill(Lane& lane) {
  std::vector<MsgId> ids;
  for (const auto& entry : lane.entries) {
    if (entry.work || ids.size() == kRefillRows) break;
    ids.push_back(entry.id);
  }
  lane.refilling = true;
  const LaneKey key = lane.key;
  context_.shards.of(key.source).read_accepted(key.source, std::move(ids), [this, key](auto rows) {
    auto shared = std::make_shared<Result<std::vector<RedoRow>>>(std::move(rows));
    post([this, key, shared] { refilled(key, std::move(*shared)); });
  });
}

void Lanes::refilled(LaneKey key, Result<std::vector<RedoRow>> rows) {
  const auto it = lanes_.find(number(key));
  if (it == lanes_.end()) return;
  Lane& lane = it->second;
  lane.refilling = false;
  if (!rows) {
    log::warn("lane", "cannot read accepted messages again slot={} reason={}", key.source,
              rows.error().message);
    return back_off(lane);
  }
  std::unordered_map<MsgId, RedoRow> by_id;
  for (auto& row : *rows) by_id.emplace(row.message.msg_id, std::move(row));
  for (std::size_t i = 0; i < lane.entries.size() && i < kRefillRows && !by_id.empty(); ++i) {
    Entry& entry = lane.entries[i];
    const auto row = by_id.find(entry.id);
    if (entry.work || row == by_id.end()) continue;
    entry.work = deliver_work_of(std::move(row->second), context_.thread_count);
    hold_bytes(lane, static_cast<std::int64_t>(entry.work->bytes()));
    by_id.erase(row);
  }
  if (!lane.entries.empty() && !lane.entries.front().work) {
    log::error("lane", "an accepted message is not in the outbox slot={} id={}", key.source,
               lane.entries.front().id);
    back_off(lane);
    return;
  }
  send(lane);
}

void Lanes::tick() {
  const SteadyTime now = context_.now();
  for (auto& [id, lane] : lanes_) {
    if (lane.in_flight == 0 && !lane.refilling && lane.retry_at <= now) make_ready(lane);
  }
  send_ready();
}

void Lanes::collect_pending(std::size_t shard, std::vector<PendingEntry>& add,
                            std::vector<PendingEntry>& remove) {
  const SteadyTime now = context_.now();
  for (auto& [id, lane] : lanes_) {
    if (context_.shards.index_of(lane.key.source) != shard) continue;
    SlotState* state = context_.slots.find(lane.key.source);
    for (const auto& entry : lane.entries) {
      if (now - entry.since < context_.config.pending_after) break;
      if (entry.finished || state->unfinished.is_pending(entry.id)) continue;
      add.push_back({.slot = lane.key.source, .destination = lane.key.destination, .id = entry.id});
      state->unfinished.moved_to_pending(entry.id);
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
    SlotState* state = context_.slots.find(entry.slot);
    if (!state->unfinished.is_pending(entry.id)) continue;  // finished meanwhile
    state->unfinished.finished(entry.id);
    state->unfinished.add(entry.id);
    context_.slots.touch(entry.slot);
  }
  to_remove_.insert(to_remove_.end(), removed.begin(), removed.end());
}

}  // namespace hongyan::logic
