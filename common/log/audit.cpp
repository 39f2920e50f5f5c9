#include "common/log/audit.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

namespace hongyan::audit {

namespace {

constexpr std::size_t kQueueLines = 16'384;

struct Log {
  std::string daemon;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};
// Set and cleared by main only, while nobody writes; a pointer so that asking costs one load.
std::atomic<Log*> current{nullptr};
std::atomic<std::uint64_t> dropped_before{0};

void append_text(std::string& line, std::string_view text) {
  using Json = nlohmann::json;
  line += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string now_text() {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (now - seconds).count());
}

}  // namespace

Status open(std::string_view daemon, const Options& options) {
  if (options.file.empty()) return {};
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file, options.max_file_bytes,
                                                                       options.max_files);
    auto log = std::make_unique<Log>();
    log->daemon = daemon;
    log->pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
    log->logger = std::make_shared<spdlog::async_logger>("audit", std::move(sink), log->pool,
                                                         spdlog::async_overflow_policy::overrun_oldest);
    log->logger->set_pattern("%v");
    log->logger->flush_on(spdlog::level::info);
    current = log.release();
  } catch (const spdlog::spdlog_ex& e) {
    return fail(Code::kUnavailable, e.what());
  }
  return {};
}

void close() {
  const std::unique_ptr<Log> log(current.exchange(nullptr));
  if (!log) return;
  dropped_before += log->pool->overrun_counter();
  log->logger->flush();
}

bool enabled() noexcept { return current.load(std::memory_order_acquire) != nullptr; }

void write(std::string_view event, std::initializer_list<Field> fields) {
  const Log* log = current.load(std::memory_order_acquire);
  if (log == nullptr) return;
  std::string line =
      fmt::format(R"({{"time":"{}","event":"{}","daemon":"{}")", now_text(), event, log->daemon);
  for (const auto& [name, value] : fields) {
    line += fmt::format(R"(,"{}":)", name);
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      line += std::to_string(*number);
    } else {
      append_text(line, std::get<std::string_view>(value));
    }
  }
  line += '}';
  log->logger->info(line);
}

std::uint64_t dropped_lines() noexcept {
  const Log* log = current.load(std::memory_order_acquire);
  return dropped_before + (log == nullptr ? 0 : log->pool->overrun_counter());
}

}  // namespace hongyan::audit
