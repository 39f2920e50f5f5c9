// What a stretch of time cost: the servers' and the generator's CPU and memory.
#pragma once

#include "common/base/clock.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/processes.h"

namespace hongyan::bench {

struct Cost {
  struct Process {
    std::string name;  // "gate-1"
    int pid = 0;
    double cpu_seconds = 0;           // in that time
    std::uint64_t memory_before = 0;  // resident bytes
    std::uint64_t memory_after = 0;
  };
  double seconds = 0;
  std::vector<Process> processes = {};  // those that lived through all of it, and those that came
  double own_cpu_seconds = 0;
  double busiest_thread = 0;  // cores: CPU of the generator's busiest thread by time
  double waiting_thread = 0;  // part of the time in which that thread waited for a core

  [[nodiscard]] double server_cpu_seconds() const noexcept;
  // The busiest thread had no time to spare: what was measured is the generator.
  [[nodiscard]] bool generator_was_the_limit() const noexcept { return busiest_thread > 0.9; }
};

// Measures from its construction to stop(). Main thread.
class Meter {
 public:
  // cluster: outlives the meter.
  explicit Meter(const Cluster& cluster);
  [[nodiscard]] Cost stop() const;

 private:
  const Cluster& cluster_;
  const std::vector<ProcessUse> processes_;
  const std::vector<ThreadUse> threads_;
  const double own_cpu_;
  const SteadyTime began_;
};

}  // namespace hongyan::bench
