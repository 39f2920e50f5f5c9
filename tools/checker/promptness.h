// How long answers took, and how long a repaired service was away, from a history. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "tools/checker/history.h"

namespace hongyan::checker {

inline constexpr Micros kSilence = 5'000'000;      // an answer comes within it, be it a refusal
inline constexpr Micros kResumption = 10'000'000;  // and after a repair an acknowledgement within this
// They send what they kept, and wait behind themselves:
inline constexpr Micros kCatchUp = 5'000'000;   // so long after a repair those online whom the server serves,
inline constexpr Micros kJustBack = 1'000'000;  // so long after a login who comes back

struct AnswerTimes {
  std::size_t count = 0;
  Micros p50 = 0;
  Micros p99 = 0;
};

struct Promptness {
  AnswerTimes calm;  // of attempts before the faults
  // Of attempts made while a server was struck, until its repair began: one that serves them; and one that
  // does not, nor did any that serves them catch up, nor came they just back.
  AnswerTimes concerned;
  AnswerTimes bystanders;
  // Attempts without an answer for kSilence, on a connection that neither side had ended.
  std::uint64_t silent = 0;
  Micros slowest_answer = 0;
  // From a repair to the next acknowledgement of anything; those that took longer than kResumption.
  Micros slowest_resumption = 0;
  std::uint64_t late_resumptions = 0;
};

// An attempt whose connection ended before its answer counts with the time until then.
// timed: the attempts whose times are told.
// serves: whether the struck server has a part in the answer to the attempt.
[[nodiscard]] Promptness promptness(
    const History& history, std::span<const Attempt> timed,
    const std::function<bool(const Struck& strike, const Attempt& attempt)>& serves);

}  // namespace hongyan::checker
