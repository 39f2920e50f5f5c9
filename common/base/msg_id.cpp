#include "common/base/msg_id.h"

#include <algorithm>

#include "common/base/assert.h"

namespace hongyan {

namespace {

constexpr int kCounterBits = 12;
constexpr int kNodeBits = 10;
constexpr std::int64_t kCounterMask = (1 << kCounterBits) - 1;

MsgId compose(std::int64_t tick, std::uint32_t node) noexcept {
  return ((tick >> kCounterBits) << (kNodeBits + kCounterBits)) |
         (static_cast<std::int64_t>(node) << kCounterBits) | (tick & kCounterMask);
}

}  // namespace

MsgIdParts split_msg_id(MsgId id) noexcept {
  return {.wall_ms = (id >> (kNodeBits + kCounterBits)) + kMsgIdEpochMs,
          .node = static_cast<std::uint32_t>((id >> kCounterBits) & kMaxNodeNumber),
          .counter = static_cast<std::uint32_t>(id & kCounterMask)};
}

MsgId first_msg_id_at(std::int64_t wall_ms) noexcept {
  return std::max<std::int64_t>(wall_ms - kMsgIdEpochMs, 0) << (kNodeBits + kCounterBits);
}

MsgIdClock::MsgIdClock(std::uint32_t node, NowMs now) : node_(node), now_(std::move(now)) {
  HONGYAN_ASSERT(node <= kMaxNodeNumber);
}

MsgId MsgIdClock::next() noexcept {
  const std::int64_t wall = std::max<std::int64_t>(now_() - kMsgIdEpochMs, 0) << kCounterBits;
  std::int64_t last = last_.load(std::memory_order_relaxed);
  std::int64_t tick = 0;
  do {
    tick = std::max(wall, last + 1);
  } while (!last_.compare_exchange_weak(last, tick, std::memory_order_relaxed));
  return compose(tick, node_);
}

MsgId MsgIdClock::floor() const noexcept { return compose(last_.load(std::memory_order_relaxed), node_); }

void MsgIdClock::move_past(MsgId id) noexcept {
  // The same millisecond may hold ids of other nodes above ours: go to the end of it.
  const std::int64_t bound = ((id >> (kNodeBits + kCounterBits)) << kCounterBits) | kCounterMask;
  std::int64_t last = last_.load(std::memory_order_relaxed);
  while (last < bound && !last_.compare_exchange_weak(last, bound, std::memory_order_relaxed)) {
  }
}

std::int64_t MsgIdClock::time_ms() const noexcept {
  return std::max(now_(), (last_.load(std::memory_order_relaxed) >> kCounterBits) + kMsgIdEpochMs);
}

}  // namespace hongyan
