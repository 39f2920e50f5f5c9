#include "tools/bench/measure/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace hongyan::bench {

namespace {
constexpr std::chrono::seconds kDrainPatience{20};
constexpr Milliseconds kDonePoll{2};
}  // namespace

void Shared::give_up(const std::string& reason) {
  if (why_taken.exchange(true)) return;
  why = reason;
  broken.store(true);
}

void remark(bool wanted, const std::string& text) {
  if (wanted) fmt::print(stderr, "{}\n", text);
}

void watch(const Shared& shared, bool progress, std::string_view phase, double seconds,
           const std::function<bool()>& done) {
  using std::chrono::duration;
  auto before_at = SteadyClock::now();
  const auto end = before_at + std::chrono::duration_cast<SteadyClock::duration>(duration<double>(seconds));
  std::uint64_t before = shared.finished.load();
  for (auto now = before_at; now < end && !shared.broken; now = SteadyClock::now()) {
    if (done && done()) return;
    const auto remark_at = before_at + std::chrono::seconds(1);
    if (now >= remark_at) {
      const std::uint64_t finished = shared.finished.load();
      remark(progress,
             fmt::format("{:<8} {:8.0f}/s  refused {}", phase,
                         static_cast<double>(finished - before) / duration<double>(now - before_at).count(),
                         shared.refused.load()));
      before = finished;
      before_at = now;
    }
    std::this_thread::sleep_until(std::min({end, remark_at, done ? now + kDonePoll : end}));
  }
}

Result<Measured> run_phases(Shared& shared, const Cluster& cluster, const LoadOptions& options,
                            const std::function<bool()>& idle) {
  watch(shared, options.progress, "warm-up", options.warm_up_seconds);
  Measured measured;
  const Meter meter(cluster);
  const std::uint64_t before = shared.finished.load();
  shared.phase.store(Phase::kMeasure);
  watch(shared, options.progress, "measure", options.seconds);
  measured.operations = shared.finished.load() - before;
  shared.stop_at.store(SteadyClock::now());
  shared.phase.store(Phase::kDrain);
  measured.cost = meter.stop();
  const auto end = SteadyClock::now() + kDrainPatience;
  bool drained = false;
  while (!drained && SteadyClock::now() < end && !shared.broken) {
    drained = idle();
    if (!drained) std::this_thread::sleep_for(Milliseconds(20));
  }
  if (shared.broken) return fail(Code::kUnavailable, shared.why);
  return measured;
}

}  // namespace hongyan::bench
