// Log lines: level, component, short text, key=value. Never contents of messages, never secrets.
//
//   log::info("gate", "session opened c={} uid={}", channel, log::quoted(uid));
//
// Lines go to standard error through spdlog's asynchronous sink: a full queue drops the oldest line and
// counts it, so that logging never blocks an event loop. Before init() lines are written at once.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace hongyan::log {

enum class Level : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };

// "trace" ... "off"; false when the text is none of them.
[[nodiscard]] bool parse_level(std::string_view text, Level& level) noexcept;
[[nodiscard]] std::string_view to_string(Level level) noexcept;

// Starts the asynchronous sink. Once, at start, by main; shutdown() writes what is queued.
void init(std::string_view daemon, Level level);
void shutdown();

// Any thread, at run time.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;
[[nodiscard]] inline bool enabled(Level wanted) noexcept;

// Lines that the full queue dropped.
[[nodiscard]] std::uint64_t dropped_lines() noexcept;

// Text chosen by a peer, made safe for one line: quotes, control characters and backslashes escaped, at most
// 64 bytes.
[[nodiscard]] std::string quoted(std::string_view text);

namespace detail {
extern std::atomic<Level> current_level;
void write(Level level, std::string_view component, std::string_view text);
}  // namespace detail

inline bool enabled(Level wanted) noexcept {
  return wanted >= detail::current_level.load(std::memory_order_relaxed);
}

template <typename... Args>
void write(Level level, std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) detail::write(level, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kDebug, component, format, std::forward<Args>(args)...);
}
template <typename... Args>
void info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, component, format, std::forward<Args>(args)...);
}
template <typename... Args>
void warn(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarn, component, format, std::forward<Args>(args)...);
}
template <typename... Args>
void error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, component, format, std::forward<Args>(args)...);
}

}  // namespace hongyan::log
