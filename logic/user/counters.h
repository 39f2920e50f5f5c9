// What a slot thread counts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "common/metrics/tally.h"

namespace hongyan::logic {

// Counted by one slot thread, read by the metrics page.
struct PipelineCounters {
  using Counter = metrics::Tally;
  std::array<Counter, 16> refused;  // by Code
  Counter accepted, duplicates, delivered, parked, pushed, resent, undelivered, acked, bad_acks, pulls,
      pulled_messages, logins, kicks, lane_retries, not_owner, uploads, cursors_kept, placed;
  std::atomic<std::int64_t> unfinished_bytes, sessions, users, lanes, changed_cursors, groups;
};

}  // namespace hongyan::logic
