// Message ids: 41 bits of milliseconds since 2024-01-01 UTC, 10 bits of node, 12 bits of counter
// (the layout of Twitter's Snowflake), issued by a hybrid clock that never goes back.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "common/base/clock.h"

namespace hongyan {

using MsgId = std::int64_t;

inline constexpr std::int64_t kMsgIdEpochMs = 1'704'067'200'000;  // 2024-01-01T00:00:00Z
inline constexpr std::uint32_t kMaxNodeNumber = 1023;

struct MsgIdParts {
  std::int64_t wall_ms;  // since 1970
  std::uint32_t node;
  std::uint32_t counter;
};
[[nodiscard]] MsgIdParts split_msg_id(MsgId id) noexcept;

// The smallest id with this time, of any node. For comparing ids with times.
[[nodiscard]] MsgId first_msg_id_at(std::int64_t wall_ms) noexcept;

// Issues the ids of one node: strictly increasing over all threads, whatever the wall clock does. When the
// wall clock steps back or more than 4096 ids a millisecond are taken, ids run ahead of it until it catches
// up. Any thread; lock-free.
class MsgIdClock {
 public:
  using NowMs = std::function<std::int64_t()>;

  // node: 0 to 1023, unique among the live nodes. now: wall clock, replaced in tests.
  explicit MsgIdClock(std::uint32_t node, NowMs now = wall_ms);

  [[nodiscard]] MsgId next() noexcept;

  // Every id issued from now on is greater than the returned one; every id issued before by this clock
  // is at most the returned one.
  [[nodiscard]] MsgId floor() const noexcept;

  // From now on ids are greater than `id` (of any node). Used at start, with the limits found in the shards.
  void move_past(MsgId id) noexcept;

  // Time part of the id that next() would give, in ms since 1970.
  [[nodiscard]] std::int64_t time_ms() const noexcept;

 private:
  const std::uint32_t node_;
  const NowMs now_;
  std::atomic<std::int64_t> last_{0};  // (ms since 2024 << 12) | counter of the last id
};

}  // namespace hongyan
