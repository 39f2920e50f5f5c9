// What gates tell of the slots that this node has acquired: all their sessions there.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "logic/user/thread_context.h"

namespace hongyan::logic {

// Who acquires a slot does not know who is logged in. So a login there, and what is asked of sessions, waits until every
// gate that is linked has announced its sessions of the slot, at most kPatience: then the login's epoch is above all of
// theirs, whatever the clocks. What the gates are told of slots is numbered, and what they announce names that. One
// thread.
class Announcements {
 public:
  static constexpr Milliseconds kPatience{2000};

  explicit Announcements(ThreadContext& context) : context_(context) {}

  // A gate's link has come up, or broken: from then on it is waited for no more.
  void gate_up(const GatePort& gate) { heard_.try_emplace(&gate, 0); }
  void gate_down(const GatePort& gate) { heard_.erase(&gate); }
  // The gate has told of all its sessions of the slots that it was told of up to this version.
  void complete(const GatePort& gate, std::uint64_t version);

  // Whether all sessions of the slot are known, or have had their time to be.
  [[nodiscard]] bool knows(Slot slot);
  // Runs `then` once they are, or the slot has left.
  void wait(Slot slot, std::function<void()> then);
  void tick() { release(); }

 private:
  struct Waiting {
    Slot slot = 0;
    std::uint64_t slot_epoch = 0;
    std::function<void()> then;
  };
  void release();

  ThreadContext& context_;
  std::map<const GatePort*, std::uint64_t>
      heard_;  // links that are up: up to which version all was announced
  std::deque<Waiting> waiting_;
};

}  // namespace hongyan::logic
