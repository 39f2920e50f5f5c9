// What the refusals of some messages say about the others.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <string>
#include <string_view>

#include "client/cpp/outputs.h"
#include "common/base/backoff.h"

namespace hongyan::client {

// Messages that the same part of the service takes. A refusal may concern one message or conversation; a
// second in a row, of another conversation, means that this part is away or has too much to do. Then one
// message at a time asks whether it is back, after what the server and a back-off say, each time the one that
// waits longest, and all the others wait: however many there are, an outage costs the servers one attempt in
// that time. What is taken lets twice as many go, as in TCP's slow start (RFC 5681). Pure; lives in a
// SendQueue.
class SendLine {
 public:
  explicit SendLine(const Random& random) : backoff_(kRetryMin, kRetryMax, random) {}

  static constexpr Milliseconds kRetryMin{100};
  static constexpr Milliseconds kRetryMax{3'000};

  [[nodiscard]] bool may_send(SteadyTime now) const noexcept {
    return now >= opens_at_ && in_flight_ < window_;
  }
  // Every message that went ends as landed(); what became of it is said before or after.
  void sent() noexcept { ++in_flight_; }
  void landed() noexcept { --in_flight_; }
  void taken() noexcept;
  void refused(std::string_view conversation, Milliseconds retry_after, SteadyTime now);
  // No answer, or one that leaves the outcome unknown: counts as a refusal while the line is limited.
  void unanswered(std::string_view conversation, Milliseconds retry_after, SteadyTime now);
  // The connection ended: nothing is in flight, or held, and the next one may lead elsewhere.
  void reset() noexcept;

  // Those that wait, by how long they do.
  void hold(SendId id) { held_.push_back(id); }
  void drop(SendId id) { std::erase(held_, id); }
  [[nodiscard]] bool holds() const noexcept { return !held_.empty(); }
  // The first of them, which holds() and may_send() allow to go: holds it no longer.
  [[nodiscard]] SendId take_held();
  // When may_send() will let one of them go; SteadyTime::max(): not before an answer.
  [[nodiscard]] SteadyTime next_wake() const noexcept;

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t kWide = 512;  // twice as many is no limit any more

  Backoff backoff_;
  std::size_t window_ = kNoLimit;
  std::size_t in_flight_ = 0;
  SteadyTime opens_at_ = SteadyTime::min();
  std::string refused_;  // the conversation refused last, if nothing was taken since
  std::deque<SendId> held_;
};

}  // namespace hongyan::client
