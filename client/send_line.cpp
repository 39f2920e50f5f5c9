#include "client/send_line.h"

namespace hongyan::client {

void SendLine::sent(SendId id) {
  held_.erase(id);
  latest_ = id;
  ++in_flight_;
}

void SendLine::worked() noexcept {
  refusals_ = 0;
  backoff_.reset();
  window_ = window_ > kNoLimit / 2 ? kNoLimit : window_ * 2;
}

void SendLine::refused(Milliseconds retry_after, SteadyTime now) {
  if (++refusals_ == 1) return;
  window_ = 1;
  // Of those that were in flight together one counts.
  if (now >= opens_at_) opens_at_ = now + retry_after + backoff_.next();
}

void SendLine::reset() noexcept {
  backoff_.reset();
  window_ = kNoLimit;
  in_flight_ = refusals_ = 0;
  opens_at_ = SteadyTime::min();
  held_.clear();
}

std::optional<SendId> SendLine::next(SteadyTime now) const {
  if (held_.empty() || !may_send(now)) return std::nullopt;
  const auto after = held_.upper_bound(latest_);
  return after == held_.end() ? *held_.begin() : *after;
}

SteadyTime SendLine::next_wake() const noexcept {
  return held_.empty() || in_flight_ >= window_ ? SteadyTime::max() : opens_at_;
}

}  // namespace hongyan::client
