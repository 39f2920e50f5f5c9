#include "common/daemon/supervisor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdlib>

#include "common/log/log.h"
#include "common/net/loop_pulse.h"

namespace hongyan::daemon {

namespace {

constexpr Milliseconds kStatusInterval{2000};
// Of the watchdog's time: a loop that stands still is noticed by the second question.
constexpr int kQuestions = 4;

Milliseconds watchdog_time() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return Milliseconds(0);
  return std::max(Milliseconds(1), Milliseconds(microseconds / 1000));
}

void notify(const std::string& state) { static_cast<void>(::sd_notify(0, state.c_str())); }

}  // namespace

std::string status_line(const metrics::Health::Report& report) {
  std::string line(to_string(report.state));
  std::string_view before = ": ";
  for (const auto& [name, check] : report.checks) {
    if (check.state == metrics::HealthState::kOk) continue;
    line += fmt::format("{}{}", before, name);
    if (!check.text.empty()) line += ": " + check.text;
    before = "; ";
  }
  // A line end would begin another assignment.
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return line;
}

Supervisor::Supervisor(const metrics::Health& health)
    : health_(health), heard_(std::getenv("NOTIFY_SOCKET") != nullptr), watchdog_(watchdog_time()) {}

Supervisor::~Supervisor() = default;

void Supervisor::ready() {
  if (!heard_) return;
  status_ = status();
  notify("READY=1\nSTATUS=" + status_);
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void Supervisor::stopping(const std::string& reason) {
  if (!heard_) return;
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  notify("STOPPING=1\nSTATUS=stopping: " + reason);
}

void Supervisor::run(std::stop_token stop) {
  const Milliseconds pause =
      watchdog_.count() == 0 ? kStatusInterval : std::min(kStatusInterval, watchdog_ / kQuestions);
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, stop, pause, [&stop] { return stop.stop_requested(); })) look();
}

void Supervisor::look() {
  auto silent = net::LoopPulse::silent();
  if (silent != silent_) {
    if (silent.empty()) {
      log::warn("daemon", "all event loops run again");
    } else {
      log::error("daemon", "event loops stand still loops={}", fmt::join(silent, ","));
    }
  }
  silent_ = std::move(silent);
  std::string state;
  if (auto now = status(); now != status_) {
    state = "STATUS=" + now;
    status_ = std::move(now);
  }
  if (watchdog_.count() > 0 && silent_.empty()) state += state.empty() ? "WATCHDOG=1" : "\nWATCHDOG=1";
  if (!state.empty()) notify(state);
}

std::string Supervisor::status() const {
  if (stopping_) return status_;
  if (!silent_.empty()) return fmt::format("event loops stand still: {}", fmt::join(silent_, ", "));
  return status_line(health_.report());
}

}  // namespace hongyan::daemon
