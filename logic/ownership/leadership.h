// Whether this node is the one that serves.
#pragma once

#include <atomic>
#include <cstdint>

namespace hongyan::logic {

// Of all nodes one serves and the others stand by; who it is stands in the first shard, which has slot 0: it
// owns the slots there. The keeper of the first shard says so here, those of the other shards follow. Any
// thread.
class Leadership {
 public:
  enum class Role : std::uint8_t {
    kUnknown,  // the first shard was not read yet, or its slots are nobody's
    kLeads,
    kStandsBy,  // another node owns the first shard's slots
  };
  void set(Role role) noexcept { role_.store(role, std::memory_order_release); }
  [[nodiscard]] Role role() const noexcept { return role_.load(std::memory_order_acquire); }

 private:
  std::atomic<Role> role_{Role::kUnknown};
};

}  // namespace hongyan::logic
