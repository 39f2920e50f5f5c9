// Texts of slot sets: "0-1023" or "0-99,200-299". parse_slots is in shard.h.
#pragma once

#include <span>
#include <string>

#include "common/base/slot.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// The shortest text of ascending slots: equal sets have equal texts.
[[nodiscard]] std::string format_slots(std::span<const Slot> slots);

}  // namespace hongyan::logic
