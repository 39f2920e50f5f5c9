// Which shard holds which slot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/base/slot.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// All shards of the configuration and which slot each holds. Immutable after start; any thread.
class ShardSet {
 public:
  explicit ShardSet(std::vector<Shard*> shards, std::array<std::uint16_t, kSlotCount> shard_of)
      : shards_(std::move(shards)), shard_of_(shard_of) {}
  [[nodiscard]] std::size_t size() const noexcept { return shards_.size(); }
  [[nodiscard]] std::size_t index_of(Slot slot) const noexcept { return shard_of_[slot]; }
  [[nodiscard]] Shard& at(std::size_t index) const noexcept { return *shards_[index]; }
  [[nodiscard]] Shard& of(Slot slot) const noexcept { return *shards_[shard_of_[slot]]; }

 private:
  const std::vector<Shard*> shards_;
  const std::array<std::uint16_t, kSlotCount> shard_of_;
};

}  // namespace hongyan::logic
