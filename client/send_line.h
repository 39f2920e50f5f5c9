// What the refusals of some messages say about the others.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <set>

#include "client/backoff.h"
#include "client/outputs.h"

namespace hongyan::client {

// Messages that the same part of the service takes: those stored in its database, or uploads. One refusal may
// concern one message; a second in a row means that this part is away or has too much to do. Then one message
// at a time asks whether it is back, after what the server and a back-off say, each time another one, and all
// the others wait: however many there are, an outage costs the servers one attempt of each client. What
// is taken lets twice as many go, as in TCP's slow start (RFC 5681). Pure; lives in a SendQueue.
class SendLine {
 public:
  explicit SendLine(const Random& random) : backoff_(kRetryMin, kRetryMax, random) {}

  static constexpr Milliseconds kRetryMin{100};
  static constexpr Milliseconds kRetryMax{3'000};

  [[nodiscard]] bool may_send(SteadyTime now) const noexcept {
    return now >= opens_at_ && in_flight_ < window_;
  }
  void sent(SendId id);
  // It was answered, or given up.
  void landed() noexcept { --in_flight_; }
  void worked() noexcept;
  void refused(Milliseconds retry_after, SteadyTime now);
  // The connection ended: nothing is in flight, or held, and the next one may lead elsewhere.
  void reset() noexcept;

  void hold(SendId id) { held_.insert(id); }
  void drop(SendId id) { held_.erase(id); }
  [[nodiscard]] bool holds() const noexcept { return !held_.empty(); }
  // One that was held and may be sent.
  [[nodiscard]] std::optional<SendId> next(SteadyTime now) const;
  // When to ask for next(); SteadyTime::max(): not before an answer.
  [[nodiscard]] SteadyTime next_wake() const noexcept;

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  Backoff backoff_;
  std::size_t window_ = kNoLimit;
  std::size_t in_flight_ = 0;
  std::size_t refusals_ = 0;  // in a row
  SteadyTime opens_at_ = SteadyTime::min();
  SendId latest_ = 0;
  std::set<SendId> held_;
};

}  // namespace hongyan::client
