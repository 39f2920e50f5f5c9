// What must be true of the messages from one sender to one receiver.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tools/bench/measure/content.h"

namespace hongyan::bench {

// What went wrong. All zero: nothing.
struct Faults {
  std::uint64_t lost = 0;          // acknowledged, never delivered
  std::uint64_t unanswered = 0;    // sent, never acknowledged
  std::uint64_t duplicates = 0;    // delivered under two inbox seqs
  std::uint64_t changed = 0;       // other bytes than were sent, or a message that nobody sent
  std::uint64_t out_of_order = 0;  // delivered after a message that was sent later
  std::uint64_t holes = 0;         // inbox seqs that a pull skipped

  [[nodiscard]] bool none() const noexcept { return *this == Faults{}; }
  Faults& operator+=(const Faults& other) noexcept;
  bool operator==(const Faults&) const = default;
};

// Messages have the numbers 0, 1, 2 … in the order in which they were sent. One thread.
class Check {
 public:
  // delivery: whether messages are to be delivered, or acknowledged only. content: outlives this.
  Check(const Content& content, bool delivery) : content_(content), delivery_(delivery) {}

  [[nodiscard]] std::uint32_t next_number() const noexcept {
    return static_cast<std::uint32_t>(states_.size());
  }
  void sent() { states_.push_back(0); }
  // An attempt was refused and will be repeated: the message has lost its place in the order.
  void refused(std::uint32_t number) noexcept;
  // False: not sent, or acknowledged before.
  [[nodiscard]] bool acknowledged(std::uint32_t number) noexcept;
  // False: changed, or delivered before.
  [[nodiscard]] bool delivered(std::uint32_t number, std::string_view content) noexcept;
  // What came is no message of this sender.
  void stranger() noexcept { ++faults_.changed; }
  void hole(std::uint64_t seqs) noexcept { faults_.holes += seqs; }

  [[nodiscard]] std::uint64_t count_acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] std::uint64_t count_delivered() const noexcept { return delivered_; }
  // Everything under way counts as lost or unanswered: ask at the end.
  [[nodiscard]] Faults faults() const noexcept;

 private:
  const Content& content_;
  const bool delivery_;
  std::vector<std::uint8_t> states_ = {};  // by number
  std::int64_t highest_ = -1;              // number delivered
  std::uint64_t acknowledged_ = 0;
  std::uint64_t delivered_ = 0;
  Faults faults_;
};

}  // namespace hongyan::bench
