// Phases of a load: warm-up, measured time, drain.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "common/base/clock.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/meter.h"

namespace hongyan::bench {

enum class Phase : int { kWarmUp, kMeasure, kDrain };

// What all senders and receivers share with the main thread. Any thread.
struct Shared {
  std::atomic<Phase> phase{Phase::kWarmUp};
  std::atomic<SteadyTime> stop_at{
      SteadyTime::max()};                  // set before kDrain: what was meant for later is not sent
  std::atomic<std::uint64_t> finished{0};  // messages, warm-up included
  std::atomic<std::uint64_t> refused{0};   // attempts answered with an error and sent again
  std::atomic<bool> broken{false};         // the run cannot go on; `why` was set before
  std::string why = {};
  std::atomic<bool> why_taken{false};

  // The first reason stays.
  void give_up(const std::string& reason);
};

struct LoadOptions {
  double seconds = 15;
  double warm_up_seconds = 3;
  int loops = 1;
  std::size_t window = 8;         // messages under way of each sender
  double rate = 0;                // messages/s of all senders together, open loop; 0: closed loop
  std::size_t backlog = 100'000;  // messages late at a time, of all senders together
  std::size_t size = 100;         // bytes of content
  bool progress = false;          // a line a second on standard error
};

// A line on standard error.
void remark(bool wanted, const std::string& text);

// Sleeps in the main thread, at most `seconds`, with a remark a second of what finished. Returns early when
// the run broke, or when done() holds, which is asked every 2 ms.
void watch(const Shared& shared, bool progress, std::string_view phase, double seconds,
           const std::function<bool()>& done = {});

struct Measured {
  std::uint64_t operations = 0;
  Cost cost;
};

// Warm-up, measured time, drain. idle() tells whether nothing is under way; the drain waits for that,
// up to 20 s. Error: kUnavailable when the run broke.
[[nodiscard]] Result<Measured> run_phases(Shared& shared, const Cluster& cluster, const LoadOptions& options,
                                          const std::function<bool()>& idle);

}  // namespace hongyan::bench
