#include "tools/bench/measure/check.h"

#include <algorithm>

namespace hongyan::bench {

namespace {
constexpr std::uint8_t kAcknowledged = 1;
constexpr std::uint8_t kDelivered = 2;
constexpr std::uint8_t kRefused = 4;
}  // namespace

Faults& Faults::operator+=(const Faults& other) noexcept {
  lost += other.lost;
  unanswered += other.unanswered;
  duplicates += other.duplicates;
  changed += other.changed;
  out_of_order += other.out_of_order;
  holes += other.holes;
  return *this;
}

void Check::refused(std::uint32_t number) noexcept {
  if (number < states_.size()) states_[number] |= kRefused;
}

bool Check::acknowledged(std::uint32_t number) noexcept {
  if (number >= states_.size() || (states_[number] & kAcknowledged) != 0) return false;
  states_[number] |= kAcknowledged;
  ++acknowledged_;
  return true;
}

bool Check::delivered(std::uint32_t number, std::string_view content) noexcept {
  if (number >= states_.size() || !content_.same(content, number)) {
    ++faults_.changed;
    return false;
  }
  if ((states_[number] & kDelivered) != 0) {
    ++faults_.duplicates;
    return false;
  }
  states_[number] |= kDelivered;
  ++delivered_;
  if (number < highest_ && (states_[number] & kRefused) == 0) ++faults_.out_of_order;
  if ((states_[number] & kRefused) == 0) highest_ = std::max<std::int64_t>(highest_, number);
  return true;
}

Faults Check::faults() const noexcept {
  Faults faults = faults_;
  for (const std::uint8_t state : states_) {
    if ((state & kAcknowledged) == 0) {
      ++faults.unanswered;
    } else if (delivery_ && (state & kDelivered) == 0) {
      ++faults.lost;
    }
  }
  return faults;
}

}  // namespace hongyan::bench
