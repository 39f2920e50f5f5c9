#include "common/log/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>

namespace hongyan::log {

namespace detail {
std::atomic<Level> current_level{Level::kInfo};
}  // namespace detail

namespace {

constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info", "warn", "error", "off"};
constexpr std::size_t kQueueLines = 8192;

std::shared_ptr<spdlog::logger> make_sync_logger() {
  auto logger =
      std::make_shared<spdlog::logger>("hongyan", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

// Never freed: threads may still log while the process ends.
std::shared_ptr<spdlog::logger>& logger() {
  static auto* instance = new std::shared_ptr<spdlog::logger>(make_sync_logger());
  return *instance;
}

}  // namespace

bool parse_level(std::string_view text, Level& level) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) {
      level = static_cast<Level>(i);
      return true;
    }
  }
  return false;
}

std::string_view to_string(Level level) noexcept { return kNames[static_cast<std::size_t>(level)]; }

void init(std::string_view daemon, Level level) {
  spdlog::init_thread_pool(kQueueLines, 1);
  auto async = std::make_shared<spdlog::async_logger>(
      std::string(daemon), std::make_shared<spdlog::sinks::stderr_sink_mt>(), spdlog::thread_pool(),
      spdlog::async_overflow_policy::overrun_oldest);
  async->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %v");
  async->set_level(spdlog::level::trace);
  async->flush_on(spdlog::level::info);
  logger() = std::move(async);
  set_level(level);
}

void shutdown() {
  logger() = make_sync_logger();
  spdlog::shutdown();
}

void set_level(Level level) noexcept { detail::current_level.store(level, std::memory_order_relaxed); }

Level level() noexcept { return detail::current_level.load(std::memory_order_relaxed); }

std::uint64_t dropped_lines() noexcept {
  const auto pool = spdlog::thread_pool();
  return pool ? pool->overrun_counter() : 0;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 64;
  std::string out = "\"";
  for (const char c : text.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  if (text.size() > kMost) out += "...";
  return out += '"';
}

void detail::write(Level level, std::string_view component, std::string_view text) {
  logger()->log(spdlog::level::info, "{} [{}] {}", to_string(level), component, text);
}

}  // namespace hongyan::log
