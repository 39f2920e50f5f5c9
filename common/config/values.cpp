#include "common/config/values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace hongyan::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Ascending; each divides the next.
constexpr std::array<Unit, 5> kDurationUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 4> kSizeUnits = {{{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};

// Splits "30s" into 30 and "s". False when there is no number, or one that is too large.
bool split_number(std::string_view text, std::uint64_t& number, std::string_view& rest) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return true;
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) noexcept {
  for (const auto& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

template <std::size_t N>
std::string format_with(const std::array<Unit, N>& units, std::uint64_t value) {
  const Unit* best = &units[0];
  for (const auto& unit : units) {
    if (value != 0 && value % unit.factor == 0) best = &unit;
  }
  return fmt::format("{}{}", value / best->factor, best->name);
}

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
  std::uint64_t number = 0;
  std::string_view rest;
  if (!split_number(text, number, rest)) {
    return fail(Code::kBadRequest, R"(not a duration, write it like "30s" or "250ms")");
  }
  const Unit* unit = find_unit(kDurationUnits, rest);
  if (unit == nullptr) return fail(Code::kBadRequest, "bad unit of a duration, use ms, s, m, h or d");
  if (number >
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 1'000'000 / unit->factor) {
    return fail(Code::kBadRequest, "too large a duration");
  }
  return Milliseconds(static_cast<std::int64_t>(number * unit->factor));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  std::string_view rest;
  if (!split_number(text, number, rest)) {
    return fail(Code::kBadRequest, R"(not a size, write it like "64KiB" or 4096)");
  }
  const Unit* unit = find_unit(kSizeUnits, rest.empty() ? std::string_view("B") : rest);
  if (unit == nullptr) return fail(Code::kBadRequest, "bad unit of a size, use B, KiB, MiB or GiB");
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit->factor) {
    return fail(Code::kBadRequest, "too large a size");
  }
  return number * unit->factor;
}

std::string format_duration(Milliseconds value) {
  return value.count() == 0 ? "0s" : format_with(kDurationUnits, static_cast<std::uint64_t>(value.count()));
}

std::string format_size(std::uint64_t bytes) { return format_with(kSizeUnits, bytes); }

}  // namespace hongyan::config
