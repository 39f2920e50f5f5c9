// Who is to be looked at when, of very many.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/clock.h"

namespace hongyan::gate {

// A place in a wheel: what is to be looked at derives from it. It must leave the wheel before it ends.
struct DueNode {
  DueNode* due_previous = nullptr;  // null: in no wheel
  DueNode* due_next = nullptr;
  std::uint64_t due_step = 0;
};

// A timer wheel: adding, moving, taking out and finding what is due cost the same whatever their number, and who
// is not due costs nothing. Times are rounded up to steps; beyond the wheel's turn one is due at its end, and is
// then told when really. Pure: the clock is the caller's. One thread. Outlives its nodes' stay.
class DueWheel {
 public:
  static constexpr Milliseconds kStep{50};
  static constexpr std::size_t kSteps = 8192;  // some seven minutes

  explicit DueWheel(SteadyTime now) : begin_(now), steps_(kSteps) {
    for (DueNode& step : steps_) step.due_previous = step.due_next = &step;
  }
  DueWheel(const DueWheel&) = delete;
  DueWheel& operator=(const DueWheel&) = delete;

  // Not at once, but at the next step at the earliest. Replaces an earlier time.
  void set(DueNode& node, SteadyTime due) noexcept {
    remove(node);
    link(node, step_of(due));
  }
  // The same, unless it is due earlier anyway.
  void set_no_later(DueNode& node, SteadyTime due) noexcept {
    if (node.due_previous == nullptr || step_of(due) < node.due_step) set(node, due);
  }
  static void remove(DueNode& node) noexcept {
    if (node.due_previous == nullptr) return;
    node.due_previous->due_next = node.due_next;
    node.due_next->due_previous = node.due_previous;
    node.due_previous = node.due_next = nullptr;
  }

  // Takes out those that are due, at most `most`, the others the next time, and visits each: visit(DueNode&) may
  // set it anew, and end it or any other.
  template <typename Visit>
  void run(SteadyTime now, std::size_t most, Visit visit) {
    const std::uint64_t last = passed_steps(now);
    for (; at_ <= last; ++at_) {
      DueNode& step = steps_[at_ % kSteps];
      while (step.due_next != &step) {
        if (most-- == 0) return;
        DueNode& node = *step.due_next;
        remove(node);
        visit(node);
      }
    }
  }

 private:
  [[nodiscard]] std::uint64_t passed_steps(SteadyTime time) const noexcept {
    return time <= begin_ ? 0 : static_cast<std::uint64_t>((time - begin_) / kStep);
  }
  // Behind the one that run() is at, and within one turn.
  [[nodiscard]] std::uint64_t step_of(SteadyTime due) const noexcept {
    return std::clamp(passed_steps(due) + 1, at_ + 1, at_ + kSteps - 1);
  }
  void link(DueNode& node, std::uint64_t step) noexcept {
    DueNode& at = steps_[step % kSteps];
    node.due_step = step;
    node.due_previous = at.due_previous;
    node.due_next = &at;
    at.due_previous->due_next = &node;
    at.due_previous = &node;
  }

  const SteadyTime begin_;
  std::uint64_t at_ = 0;        // the first step that run() has not finished
  std::vector<DueNode> steps_;  // of each a ring, which begins and ends here
};

}  // namespace hongyan::gate
