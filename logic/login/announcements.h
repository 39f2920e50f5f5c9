// What gates tell of the slots that this node has acquired: all their sessions there.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "logic/user/thread_context.h"

namespace hongyan::logic {

// Who acquires a slot does not know who is logged in. So a login there waits until every gate that is
// linked has announced its sessions of the slot, at most kPatience: then its epoch is above all of
// theirs, whatever the clocks. One thread.
class Announcements {
 public:
  static constexpr Milliseconds kPatience{2000};

  explicit Announcements(ThreadContext& context) : context_(context) {}

  // A gate's link has come up, or broken: from then on it is waited for no more.
  void gate_up(const GatePort& gate) { heard_.try_emplace(&gate, 0); }
  void gate_down(const GatePort& gate) { heard_.erase(&gate); }
  // The gate has told of all its sessions, of the slots that were acquired when it was last asked.
  void complete(const GatePort& gate);

  // Whether all sessions of the slot are known, or have had their time to be.
  [[nodiscard]] bool knows(Slot slot);
  // Runs `then` once those of the user's slot are. The user stays in memory meanwhile.
  void wait(User& user, std::function<void()> then);
  void tick() { release(); }

 private:
  struct Waiting {
    User* user = nullptr;
    std::function<void()> then;
  };
  void release();

  ThreadContext& context_;
  std::map<const GatePort*, std::uint32_t> heard_;  // links that are up: how often all was announced
  std::deque<Waiting> waiting_;
};

}  // namespace hongyan::logic
