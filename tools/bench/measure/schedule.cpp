#include "tools/bench/measure/schedule.h"

namespace hongyan::bench {

std::optional<SteadyTime> Schedule::take(SteadyTime now) noexcept {
  if (now < next()) return std::nullopt;
  const auto late = static_cast<std::uint64_t>((now - next()) / interval_);
  if (late > max_backlog_) {
    missed_ += late - max_backlog_;
    index_ += late - max_backlog_;
  }
  return time_of(index_++);
}

}  // namespace hongyan::bench
