// What is fuzzed: functions that take bytes of a stranger, or of a configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

namespace hongyan::fuzz {

// Takes any bytes, and aborts when a property of what reads them does not hold (expect()); memory errors are the
// sanitizers' business. Keeps nothing between calls.
struct Target {
  std::string_view name;  // and its folder in tests/fuzz/corpus
  void (*run)(std::string_view bytes);
};
[[nodiscard]] std::span<const Target> targets() noexcept;

void packets(std::string_view bytes);
void ws_frames(std::string_view bytes);
void ws_upgrade(std::string_view bytes);
void proxy_header(std::string_view bytes);
void http_request(std::string_view bytes);
void token(std::string_view bytes);
void configuration(std::string_view bytes);
void link_frames(std::string_view bytes);
void protobuf_glance(std::string_view bytes);
void group_command(std::string_view bytes);

inline void expect(bool holds) {
  if (!holds) std::abort();
}

// The input in pieces, as a network might deliver it; their sizes follow from the bytes.
[[nodiscard]] inline std::vector<std::string_view> pieces_of(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  std::uint32_t state = 2166136261U;
  for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * 16777619U;
  while (!bytes.empty()) {
    state = state * 1664525U + 1013904223U;
    const std::size_t size = 1 + (state >> 24) % (bytes.size() < 32 ? bytes.size() : 32);
    pieces.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return pieces;
}

}  // namespace hongyan::fuzz
