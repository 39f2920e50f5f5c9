// What a slot thread counts.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/metrics/tally.h"

namespace hongyan::logic {

// Which limit of a user's refused a request; its name in hongyan_logic_limited_total.
enum class Limited : std::uint8_t { kFanOut, kPulls, kUploads, kUploadRate, kMemberships, kCount };
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Limited::kCount)> kLimitedNames = {
    "fan_out", "pulls", "uploads", "upload_rate", "memberships"};

// Counted by one slot thread, read by the metrics page.
struct PipelineCounters {
  using Counter = metrics::Tally;
  std::array<Counter, 16> refused;  // by Code
  std::array<Counter, kLimitedNames.size()> limited;
  Counter accepted, duplicates, delivered, parked, pushed, resent, undelivered, acked, bad_acks, pulls,
      pulled_messages, logins, kicks, lane_retries, not_owner, uploads, cursors_kept, placed, node_rows,
      node_losses, bad_node_packets;
  std::atomic<std::int64_t> unfinished_bytes, sessions, users, lanes, changed_cursors, groups;
};

}  // namespace hongyan::logic
