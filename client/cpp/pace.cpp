#include "client/cpp/pace.h"

#include <algorithm>

#include "common/net/packet.h"

namespace hongyan::client {

namespace {

Milliseconds time_for(std::int64_t bytes) noexcept {
  return Milliseconds(bytes * 1'000 / Pace::kSlowestBytes);
}

}  // namespace

Pace::Mark Pace::wrote(std::uint32_t seq, std::size_t body_bytes, SteadyTime now) {
  unanswered_.push_back({seq, static_cast<std::int64_t>(net::kHeaderSize + body_bytes)});
  Mark mark{.at = now, .received = received_};
  for (const Request& request : unanswered_) mark.ahead += request.bytes;
  return mark;
}

void Pace::answered(std::uint32_t seq) noexcept {
  // The difference, for seqs begin again after the last one.
  while (!unanswered_.empty() && static_cast<std::int32_t>(unanswered_.front().seq - seq) <= 0) {
    unanswered_.pop_front();
  }
}

SteadyTime Pace::overdue_at(const Mark& mark) const noexcept {
  const Milliseconds carried = std::min(time_for(received_ - mark.received), kMostTimeouts * timeout_);
  return mark.at + timeout_ + time_for(mark.ahead) + carried;
}

Milliseconds Pace::silence() const noexcept {
  return unanswered_.empty() ? timeout_ : timeout_ + time_for(unanswered_.front().bytes);
}

PageSize::PageSize(std::int64_t most, Milliseconds timeout) noexcept
    : most_(most), timeout_(timeout), limit_(std::min(most, kFirst)), patience_(timeout) {}

void PageSize::came(std::int64_t rows, Milliseconds took) noexcept {
  patience_ = std::clamp(2 * took, timeout_, kMostTimeouts * timeout_);
  if (rows == 0) return;
  const Milliseconds good = timeout_ / 4;
  const std::int64_t fits = rows * good.count() / std::max<std::int64_t>(took.count(), 1);
  if (took <= good) {
    limit_ = std::max(limit_, std::min({fits, limit_ * kStep, most_}));
  } else if (took > timeout_ / 2) {
    limit_ = std::max({std::min(fits, limit_), limit_ / kStep, std::int64_t{1}});
  }
}

void PageSize::did_not_come() noexcept {
  limit_ = std::max(limit_ / kStep, std::int64_t{1});
  patience_ = std::min(2 * patience_, kMostTimeouts * timeout_);
}

}  // namespace hongyan::client
