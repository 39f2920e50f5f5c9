// What a slot thread counts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace hongyan::logic {

// Counted by one slot thread, read by the metrics page.
struct PipelineCounters {
  using Counter = std::atomic<std::uint64_t>;
  std::array<Counter, 16> refused;  // by Code
  Counter accepted, duplicates, delivered, parked, pushed, resent, undelivered, acked, bad_acks, pulls,
      pulled_messages, logins, kicks, lane_retries, not_owner, uploads, cursors_kept, placed;
  std::atomic<std::int64_t> unfinished_bytes, sessions, users, lanes, changed_cursors, groups;

  static void add(Counter& counter, std::uint64_t n = 1) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

}  // namespace hongyan::logic
