#include "client/cpp/send_line.h"

namespace hongyan::client {

void SendLine::taken() noexcept {
  refused_.clear();
  backoff_.reset();
  window_ = window_ >= kWide ? kNoLimit : window_ * 2;
}

void SendLine::refused(std::string_view conversation, Milliseconds retry_after, SteadyTime now) {
  const bool first = refused_.empty();
  const bool another = refused_ != conversation;
  refused_ = conversation;
  if (first || (!another && window_ == kNoLimit)) return;
  window_ = 1;
  // Of those that were in flight together one counts.
  if (now >= opens_at_) opens_at_ = now + retry_after + backoff_.next();
}

void SendLine::unanswered(std::string_view conversation, Milliseconds retry_after, SteadyTime now) {
  if (window_ != kNoLimit) refused(conversation, retry_after, now);
}

void SendLine::reset() noexcept {
  backoff_.reset();
  window_ = kNoLimit;
  in_flight_ = 0;
  opens_at_ = SteadyTime::min();
  refused_.clear();
  held_.clear();
}

SendId SendLine::take_held() {
  const SendId id = held_.front();
  held_.pop_front();
  return id;
}

SteadyTime SendLine::next_wake() const noexcept {
  return held_.empty() || in_flight_ >= window_ ? SteadyTime::max() : opens_at_;
}

}  // namespace hongyan::client
