// What the service manager is told.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/metrics/health.h"

namespace hongyan::daemon {

// Tells systemd (Type=notify) that the daemon is ready or stopping and, in one line, how it is; with WatchdogSec
// also that every event loop still runs what is posted to it. While one does not, this is not said, so that the
// manager ends the process and starts it again. Without NOTIFY_SOCKET in the environment it does nothing.
//
// Made by main before the daemon, and destroyed after it: a loop that stands still is noticed during a stop,
// too. From ready() on it has a thread of its own. What cannot be sent is not sent again.
class Supervisor {
 public:
  // health outlives it.
  explicit Supervisor(const metrics::Health& health);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Everything that is to be listened on is.
  void ready();
  // Health, whose checks refer to the daemon, is asked no more once this returns.
  void stopping(const std::string& reason);

 private:
  void run(std::stop_token stop);
  void look();
  [[nodiscard]] std::string status() const;

  const metrics::Health& health_;
  const bool heard_;             // somebody listens
  const Milliseconds watchdog_;  // 0: no watchdog
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool stopping_ = false;            // guarded
  std::string status_;               // its thread only: what was said last
  std::vector<std::string> silent_;  // its thread only
  std::jthread thread_;
};

// "ok", or the names of what is not and why: "degraded: redis: connection refused". One line.
[[nodiscard]] std::string status_line(const metrics::Health::Report& report);

}  // namespace hongyan::daemon
