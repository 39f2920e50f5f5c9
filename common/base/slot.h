// The slot hash places data: which MySQL shard holds a user, which logic node and thread serves them.
// It must never change; tests/unit/common/base/slot_test.cpp holds its vectors.
#pragma once

#include <cstdint>
#include <string_view>

namespace hongyan {

inline constexpr std::uint32_t kSlotCount = 4096;

using Slot = std::uint16_t;

// XXH3-64 of app_id, a zero byte, id; mod 4096. `id` is a uid, or a group_id in decimal. Any thread.
[[nodiscard]] Slot slot_of(std::string_view app_id, std::string_view id) noexcept;

}  // namespace hongyan
