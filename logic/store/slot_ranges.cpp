#include "logic/store/slot_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <charconv>
#include <optional>

namespace hongyan::logic {

namespace {

std::optional<std::uint32_t> parse_slot(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value >= kSlotCount) return std::nullopt;
  return value;
}

}  // namespace

Result<std::vector<Slot>> parse_slots(const std::string& text) {
  std::bitset<kSlotCount> seen;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const std::size_t dash = part.find('-');
    const auto first = parse_slot(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_slot(part.substr(dash + 1));
    if (!first || !last || *first > *last) {
      return fail(Code::kBadRequest,
                  fmt::format("slots \"{}\": not a list of ranges from 0 to {}", text, kSlotCount - 1));
    }
    for (std::uint32_t slot = *first; slot <= *last; ++slot) {
      if (seen.test(slot))
        return fail(Code::kBadRequest, fmt::format("slots \"{}\": {} stands twice", text, slot));
      seen.set(slot);
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  std::vector<Slot> slots;
  slots.reserve(seen.count());
  for (std::uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (seen.test(slot)) slots.push_back(static_cast<Slot>(slot));
  }
  return slots;
}

std::string format_slots(std::span<const Slot> slots) {
  std::string text;
  for (std::size_t i = 0; i < slots.size();) {
    std::size_t end = i + 1;
    while (end < slots.size() && slots[end] == slots[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += end == i + 1 ? fmt::format("{}", slots[i]) : fmt::format("{}-{}", slots[i], slots[end - 1]);
    i = end;
  }
  return text;
}

}  // namespace hongyan::logic
