// How much may pass in a time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/clock.h"

namespace hongyan {

// Holds one second's worth. A rate of 0 means no limit. One thread; the clock is the caller's.
class TokenBucket {
 public:
  explicit TokenBucket(SteadyTime now) noexcept : last_(now) {}

  // Takes `amount` when anything is left (the balance may go below 0, so that one large packet passes).
  [[nodiscard]] bool take(double amount, double rate, SteadyTime now) noexcept {
    if (rate <= 0) return true;
    refill(rate, now);
    if (tokens_ <= 0) return false;
    tokens_ -= amount;
    return true;
  }
  // Takes it whatever is left: who does so waits afterwards.
  void spend(double amount, double rate, SteadyTime now) noexcept {
    if (rate <= 0) return;
    refill(rate, now);
    tokens_ -= amount;
  }

  // From the last call of another kind until something is left again.
  [[nodiscard]] std::uint32_t wait_ms(double rate) const noexcept {
    if (rate <= 0 || tokens_ > 0) return 0;
    return static_cast<std::uint32_t>(-tokens_ / rate * 1000) + 1;
  }

 private:
  void refill(double rate, SteadyTime now) noexcept {
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    if (fresh_) {
      tokens_ = rate;
      fresh_ = false;
    }
    tokens_ = std::min(rate, tokens_ + seconds * rate);
  }

  SteadyTime last_;
  double tokens_ = 0;
  bool fresh_ = true;
};

}  // namespace hongyan
