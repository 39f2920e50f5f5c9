#include "tools/checker/promptness.h"

#include <algorithm>
#include <vector>

namespace hongyan::checker {

namespace {

AnswerTimes times_of(std::vector<Micros>& waits) {
  if (waits.empty()) return {};
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(waits.size() - 1));
    std::ranges::nth_element(waits, waits.begin() + static_cast<std::ptrdiff_t>(index));
    return waits[index];
  };
  return {.count = waits.size(), .p50 = at(0.5), .p99 = at(0.99)};
}

Micros wait_of(const Attempt& attempt, Micros ended) {
  const Micros end = attempt.answered > 0 ? attempt.answered : attempt.hung_up > 0 ? attempt.hung_up : ended;
  return end - attempt.invoked;
}

void resumptions(const History& history, Promptness& out) {
  std::vector<Micros> acknowledged;
  for (const auto& attempt : history.attempts) {
    if (attempt.outcome == Outcome::kOk) acknowledged.push_back(attempt.answered);
  }
  std::ranges::sort(acknowledged);
  for (const auto& strike : history.strikes) {
    const auto next = std::ranges::lower_bound(acknowledged, strike.repaired);
    const Micros resumed = (next == acknowledged.end() ? history.ended : *next) - strike.repaired;
    out.slowest_resumption = std::max(out.slowest_resumption, resumed);
    out.late_resumptions += resumed > kResumption ? 1 : 0;
  }
}

}  // namespace

Promptness promptness(const History& history, std::span<const Attempt> timed,
                      const std::function<bool(const Struck& strike, const Attempt& attempt)>& serves) {
  Promptness out;
  for (const auto& attempt : history.attempts) {
    const Micros wait = wait_of(attempt, history.ended);
    out.slowest_answer = std::max(out.slowest_answer, wait);
    out.silent += wait > kSilence ? 1 : 0;
  }
  std::vector<Micros> calm;
  std::vector<Micros> concerned;
  std::vector<Micros> bystanders;
  for (const auto& attempt : timed) {
    const Micros wait = wait_of(attempt, history.ended);
    if (attempt.invoked >= history.calm_since && attempt.invoked < history.faults_since) calm.push_back(wait);
    bool served = false;
    bool spared = false;
    bool busy = attempt.invoked < attempt.online_since + kJustBack;
    for (const auto& strike : history.strikes) {
      if (attempt.invoked < strike.begun || attempt.invoked > strike.repaired + kCatchUp) continue;
      const bool struck = attempt.invoked <= strike.repairing;
      const bool mine = serves(strike, attempt);
      served = served || (mine && struck);
      spared = spared || (!mine && struck);
      busy = busy || (mine && attempt.online_since <= strike.repaired);
    }
    if (served) {
      concerned.push_back(wait);
    } else if (spared && !busy) {
      bystanders.push_back(wait);
    }
  }
  out.calm = times_of(calm);
  out.concerned = times_of(concerned);
  out.bystanders = times_of(bystanders);
  resumptions(history, out);
  return out;
}

}  // namespace hongyan::checker
