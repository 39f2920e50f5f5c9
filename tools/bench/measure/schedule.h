// When messages are meant to be sent in an open loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/clock.h"

namespace hongyan::bench {

// Sends at a fixed rate, however slow the answers are: latency counts from the intended time, so a server
// that stalls cannot hide the stall by slowing the generator down ("coordinated omission"). What is late is
// sent at once, in order. A value; one thread.
class Schedule {
 public:
  // The k-th message is meant for first + k * interval. At most max_backlog may be late at a time; beyond
  // that the oldest are left out and counted in missed(). interval > 0.
  Schedule(SteadyTime first, std::chrono::duration<double> interval, std::uint64_t max_backlog) noexcept
      : first_(first), interval_(interval), max_backlog_(max_backlog) {}

  // The intended time of the next message.
  [[nodiscard]] SteadyTime next() const noexcept { return time_of(index_); }
  // The intended time of a message that is due, which is thereby taken; nothing when none is.
  [[nodiscard]] std::optional<SteadyTime> take(SteadyTime now) noexcept;
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }

 private:
  [[nodiscard]] SteadyTime time_of(std::uint64_t index) const noexcept {
    return first_ + std::chrono::duration_cast<SteadyClock::duration>(interval_ * static_cast<double>(index));
  }

  SteadyTime first_;
  std::chrono::duration<double> interval_;
  std::uint64_t max_backlog_;
  std::uint64_t index_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace hongyan::bench
