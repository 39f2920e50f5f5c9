#include "tools/checker/race.h"

#include <algorithm>

namespace hongyan::checker {

namespace {
constexpr Micros kDeadline = 20'000'000;
constexpr std::chrono::milliseconds kLook{2};
}  // namespace

bool Race::late(Micros begun) const {
  if (!alone_ && !stopping_) return false;
  return now_micros() > std::max(begun, stopped_at_) + kDeadline;
}

net::Awaitable<> Race::run() {
  while (!stopping_) {
    const bool together = dice_.chance(0.3);
    if (together) {
      co_await first_.client().stop();
      co_await second_.client().stop();
    }
    const int kicks = first_.kicks() + second_.kicks();
    // Whoever is stopped logs in; start() leaves the other alone.
    const bool swapped = dice_.chance(0.5);
    (swapped ? second_ : first_).start();
    (swapped ? first_ : second_).start();
    const Micros begun = now_micros();
    const auto through = [&] { return settled() && first_.kicks() + second_.kicks() > kicks; };
    do {
      co_await net::sleep_for(kLook);
    } while (!through() && !late(begun));
    ++figures_.rounds;
    figures_.together += together ? 1 : 0;
    if (!through()) ++figures_.unsettled;
  }
  ended_ = true;
}

}  // namespace hongyan::checker
