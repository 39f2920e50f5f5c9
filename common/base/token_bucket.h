// How much may pass in a time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/clock.h"

namespace hongyan {

// How much may pass: so much a second, and at once what was not used before, up to the burst. 0: no limit.
struct Rate {
  double per_second = 0;
  double burst = 0;
};

// One thread; the clock is the caller's. Where a rate is a number its burst is one second's worth.
class TokenBucket {
 public:
  explicit TokenBucket(SteadyTime now) noexcept : last_(now) {}

  // Takes `amount` when anything is left (the balance may go below 0, so that one large packet passes).
  [[nodiscard]] bool take(double amount, Rate rate, SteadyTime now) noexcept {
    if (rate.per_second <= 0) return true;
    refill(rate, now);
    if (tokens_ <= 0) return false;
    tokens_ -= amount;
    return true;
  }
  [[nodiscard]] bool take(double amount, double rate, SteadyTime now) noexcept {
    return take(amount, Rate{rate, rate}, now);
  }
  // Takes it whatever is left: who does so waits afterwards.
  void spend(double amount, Rate rate, SteadyTime now) noexcept {
    if (rate.per_second <= 0) return;
    refill(rate, now);
    tokens_ -= amount;
  }
  void spend(double amount, double rate, SteadyTime now) noexcept { spend(amount, Rate{rate, rate}, now); }
  // Of what was taken and then not used.
  void give_back(double amount, Rate rate) noexcept { tokens_ = std::min(rate.burst, tokens_ + amount); }

  // From the last call of another kind until something is left again.
  [[nodiscard]] std::uint32_t wait_ms(double rate) const noexcept {
    if (rate <= 0 || tokens_ > 0) return 0;
    return static_cast<std::uint32_t>(std::min(-tokens_ / rate * 1000, kLongestWaitMs)) + 1;
  }

 private:
  static constexpr double kLongestWaitMs = 86'400'000;

  void refill(Rate rate, SteadyTime now) noexcept {
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    if (fresh_) {
      tokens_ = rate.burst;
      fresh_ = false;
    }
    tokens_ = std::min(rate.burst, tokens_ + seconds * rate.per_second);
  }

  SteadyTime last_;
  double tokens_ = 0;
  bool fresh_ = true;
};

}  // namespace hongyan
