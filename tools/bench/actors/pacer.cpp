#include "tools/bench/actors/pacer.h"

#include <algorithm>
#include <limits>

namespace hongyan::bench {

namespace {
constexpr std::chrono::microseconds kLeastSleep{100};
}  // namespace

Schedule Pace::schedule_of(std::size_t sender) const {
  const std::chrono::duration<double> offset(static_cast<double>(sender) / rate);
  return {first + std::chrono::duration_cast<SteadyClock::duration>(offset),
          std::chrono::duration<double>(static_cast<double>(senders) / rate), backlog / senders + 1};
}

Pacer::Pacer(Worker& worker, const Shared& shared, Pace pace, std::vector<Target> targets)
    : shared_(shared), targets_(std::move(targets)), timer_(worker.loop.executor()) {
  pace.backlog = std::numeric_limits<std::size_t>::max() / 2;  // whose turn it is is never left out
  for (const Target& target : targets_) schedules_.push_back(pace.schedule_of(target.sender));
}

void Pacer::sleep() {
  if (targets_.empty()) return;
  if (shared_.phase.load(std::memory_order_acquire) == Phase::kDrain) {
    for (const Target& target : targets_) target.send(SteadyClock::now());
    return;
  }
  timer_.expires_at(std::max(schedules_[next_].next(), SteadyClock::now() + kLeastSleep));
  timer_.async_wait([this](net::error_code ec) {
    if (!ec) wake();
  });
}

void Pacer::wake() {
  const auto now = SteadyClock::now();
  while (schedules_[next_].take(now)) {
    targets_[next_].send(now);
    next_ = (next_ + 1) % targets_.size();
  }
  sleep();
}

}  // namespace hongyan::bench
