// Wakes senders when their messages are due.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tools/bench/actors/fleet.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/schedule.h"

namespace hongyan::bench {

// The schedules of all senders interleave: message k of sender i of n is meant for first + (k n + i) / rate.
struct Pace {
  SteadyTime first;
  double rate = 0;  // of all senders together, not 0
  std::size_t senders = 1;
  std::size_t backlog = 0;  // of all senders together

  [[nodiscard]] Schedule schedule_of(std::size_t sender) const;
};

// Calls each of a loop's senders in turn, as its messages become due, until the load is drained. A timer
// sleeps at least 0.1 ms, so messages leave up to that late, which counts as latency. Its loop only.
class Pacer {
 public:
  struct Target {
    std::size_t sender = 0;                // its number in the pace
    std::function<void(SteadyTime)> send;  // all that is due of it
  };

  // worker, shared: outlive the pacer; so must whatever the targets call. targets: by number.
  Pacer(Worker& worker, const Shared& shared, Pace pace, std::vector<Target> targets);
  void start() { sleep(); }

 private:
  void sleep();
  void wake();

  const Shared& shared_;
  const std::vector<Target> targets_;
  std::vector<Schedule> schedules_ = {};  // of the targets
  std::size_t next_ = 0;                  // whose message is due next: it goes round and round
  net::Timer timer_;
};

}  // namespace hongyan::bench
