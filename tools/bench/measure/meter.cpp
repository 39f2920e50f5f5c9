#include "tools/bench/measure/meter.h"

#include <algorithm>

namespace hongyan::bench {

double Cost::server_cpu_seconds() const noexcept {
  double sum = 0;
  for (const auto& process : processes) sum += process.cpu_seconds;
  return sum;
}

Meter::Meter(const Cluster& cluster)
    : cluster_(cluster),
      processes_(look_at_processes(cluster.pids, cluster.folder)),
      threads_(look_at_own_threads()),
      own_cpu_(own_cpu_seconds()),
      began_(SteadyClock::now()) {}

Cost Meter::stop() const {
  Cost cost;
  cost.seconds = std::chrono::duration<double>(SteadyClock::now() - began_).count();
  cost.own_cpu_seconds = own_cpu_seconds() - own_cpu_;
  for (const auto& now : look_at_own_threads()) {
    const auto before = std::ranges::find(threads_, now.tid, &ThreadUse::tid);
    const ThreadUse earlier = before == threads_.end() ? ThreadUse{} : *before;
    const double running = (now.running - earlier.running) / cost.seconds;
    if (running <= cost.busiest_thread) continue;
    cost.busiest_thread = running;
    cost.waiting_thread = (now.waiting - earlier.waiting) / cost.seconds;
  }
  for (auto& now : look_at_processes(cluster_.pids, cluster_.folder)) {
    const auto before = std::ranges::find(processes_, now.pid, &ProcessUse::pid);
    const ProcessUse earlier = before == processes_.end() ? ProcessUse{} : *before;
    cost.processes.push_back({.name = now.name,
                              .pid = now.pid,
                              .cpu_seconds = now.cpu_seconds - earlier.cpu_seconds,
                              .memory_before = earlier.resident_bytes,
                              .memory_after = now.resident_bytes});
  }
  return cost;
}

}  // namespace hongyan::bench
