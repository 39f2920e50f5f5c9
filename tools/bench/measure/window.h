// The messages that one sender has under way.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/bench/measure/histogram.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/schedule.h"

namespace hongyan::bench {

// Decides when the next message may leave: a slot is free, and in an open loop a message is due. A slot is
// free again when its message is acknowledged and, where deliveries are awaited, delivered. Times count from
// the intended time in an open loop, from the sending in a closed one. Messages that began in the measured
// time are recorded, however late they end. Its loop only.
class Window {
 public:
  struct Options {
    std::size_t size = 1;
    bool delivery = true;
  };

  // shared: outlives the window.
  Window(Options options, Shared& shared)
      : delivery_(options.delivery), shared_(shared), slots_(options.size) {}

  // Makes an open loop of a closed one.
  void keep_to(Schedule schedule) { schedule_ = schedule; }

  // Takes a slot for message `number` when one may leave now.
  [[nodiscard]] bool begin(std::uint32_t number, SteadyTime now);
  // Both say whether the slot has become free. Unknown numbers are ignored.
  bool acknowledged(std::uint32_t number, SteadyTime now);
  bool delivered(std::uint32_t number, SteadyTime now);

  // Of a message under way that is to be measured: what its times count from.
  [[nodiscard]] std::optional<SteadyTime> measured_from(std::uint32_t number) noexcept;
  [[nodiscard]] bool holds(std::uint32_t number) noexcept { return find(number) != nullptr; }
  // Nothing is under way, and nothing that was due before the stop is unsent.
  [[nodiscard]] bool idle() const noexcept;
  // Of the schedule: left out because the backlog was full.
  [[nodiscard]] std::uint64_t missed() const noexcept { return schedule_ ? schedule_->missed() : 0; }
  [[nodiscard]] const Histogram& ack_times() const noexcept { return ack_times_; }
  [[nodiscard]] const Histogram& delivery_times() const noexcept { return delivery_times_; }

 private:
  struct Slot {
    std::uint32_t number = 0;
    bool busy = false;
    bool acknowledged = false;
    bool delivered = false;
    bool measured = false;
    SteadyTime began;
  };

  [[nodiscard]] Slot* find(std::uint32_t number) noexcept;
  [[nodiscard]] bool free_if_done(Slot& slot);

  const bool delivery_;
  std::optional<Schedule> schedule_ = {};  // none: closed loop
  Shared& shared_;
  std::vector<Slot> slots_;
  std::size_t under_way_ = 0;
  Histogram ack_times_;
  Histogram delivery_times_;
};

}  // namespace hongyan::bench
