#include "tools/bench/measure/window.h"

#include <algorithm>

namespace hongyan::bench {

bool Window::begin(std::uint32_t number, SteadyTime now) {
  if (under_way_ == slots_.size()) return false;
  const Phase phase = shared_.phase.load(std::memory_order_acquire);
  SteadyTime began = now;
  if (schedule_) {
    const auto intended = schedule_->take(std::min(now, shared_.stop_at.load(std::memory_order_relaxed)));
    if (!intended) return false;
    began = *intended;
  } else if (phase == Phase::kDrain) {
    return false;
  }
  const auto slot = std::ranges::find(slots_, false, &Slot::busy);
  *slot = {.number = number, .busy = true, .measured = phase != Phase::kWarmUp, .began = began};
  ++under_way_;
  return true;
}

Window::Slot* Window::find(std::uint32_t number) noexcept {
  for (Slot& slot : slots_) {
    if (slot.busy && slot.number == number) return &slot;
  }
  return nullptr;
}

std::optional<SteadyTime> Window::measured_from(std::uint32_t number) noexcept {
  const Slot* slot = find(number);
  if (slot == nullptr || !slot->measured) return std::nullopt;
  return slot->began;
}

bool Window::acknowledged(std::uint32_t number, SteadyTime now) {
  Slot* slot = find(number);
  if (slot == nullptr || slot->acknowledged) return false;
  slot->acknowledged = true;
  if (slot->measured) ack_times_.record_since(slot->began, now);
  return free_if_done(*slot);
}

bool Window::delivered(std::uint32_t number, SteadyTime now) {
  Slot* slot = find(number);
  if (slot == nullptr || slot->delivered) return false;
  slot->delivered = true;
  if (slot->measured) delivery_times_.record_since(slot->began, now);
  return free_if_done(*slot);
}

bool Window::free_if_done(Slot& slot) {
  if (!slot.acknowledged || (delivery_ && !slot.delivered)) return false;
  slot.busy = false;
  --under_way_;
  shared_.finished.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Window::idle() const noexcept {
  return under_way_ == 0 && (!schedule_ || schedule_->next() > shared_.stop_at.load());
}

}  // namespace hongyan::bench
