// One uid logs in on two gates, again and again: one survivor, and the loser is told why.
#pragma once

#include <cstdint>

#include "tools/checker/device.h"
#include "tools/checker/plan.h"

namespace hongyan::checker {

struct RaceFigures {
  std::uint64_t rounds = 0;
  std::uint64_t together = 0;   // of them: both logged in at the same moment
  std::uint64_t unsettled = 0;  // not exactly one was online in the end, or the other was not told
};

// Two devices of one uid and one device class. Lives on their loop.
class Race {
 public:
  // first, second: outlive the race. alone: there are no other faults, so a round is through within 20 s;
  // else the last one is, within 20 s after stop().
  Race(Device& first, Device& second, std::uint64_t seed, bool alone)
      : first_(first), second_(second), dice_(seed), alone_(alone) {}

  // Rounds until stop(), which comes after healing; ended() then.
  net::Awaitable<> run();
  void stop() noexcept {
    stopping_ = true;
    stopped_at_ = now_micros();
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] bool settled() const noexcept {
    return (first_.online() && second_.stopped()) || (second_.online() && first_.stopped());
  }
  [[nodiscard]] const RaceFigures& figures() const noexcept { return figures_; }

 private:
  [[nodiscard]] bool late(Micros begun) const;

  Device& first_;
  Device& second_;
  Dice dice_;
  RaceFigures figures_;
  const bool alone_;
  bool stopping_ = false;
  Micros stopped_at_ = 0;
  bool ended_ = false;
};

}  // namespace hongyan::checker
