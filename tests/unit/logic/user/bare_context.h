// What the parts of a slot thread share, without a pipeline, for tests of single parts.
#pragma once

#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "logic/user/thread_context.h"
#include "tests/support/memory_shard.h"

namespace hongyan::logic {

// Over one shard in memory that holds all slots; the clock moves when the test says so.
class BareContext : private Turns {
 public:
  explicit BareContext(std::uint32_t thread_count = 1)
      : context{.thread_count = thread_count,
                .config = config,
                .shards = shards,
                .clock = clock,
                .counters = counters,
                .turns = *this,
                .slots = {}} {
    context.now = [this] { return now; };
  }
  BareContext(const BareContext&) = delete;
  BareContext& operator=(const BareContext&) = delete;

  // The slot is served from now on.
  SlotState& acquire(Slot slot) {
    SlotState& state = context.slots.acquire({.slot = slot, .epoch = 1, .mark = 0}, 0);
    state.acquired_at = now;
    return state;
  }

  PipelineConfig config;
  PipelineCounters counters;
  SteadyTime now = SteadyClock::now();
  std::vector<std::function<void()>> posted;
  MsgIdClock clock{1};
  MemoryShard shard{clock};
  ShardSet shards{{&shard}, {}};
  ThreadContext context;

 private:
  void later(std::function<void()> f) override { posted.push_back(std::move(f)); }
};

}  // namespace hongyan::logic
