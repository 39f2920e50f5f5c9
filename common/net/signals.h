// Signals that end a daemon, or make it read its files anew.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/signal_set.hpp>

#include "common/net/asio.h"
#include "common/net/loop_pulse.h"

namespace hongyan::net {

// SIGHUP runs what on_reload() was given, on the waiting thread; before that it is ignored. SIGTERM and
// SIGINT end wait(); after that their default action is back, so that a second one kills a process whose stop
// hangs. SIGPIPE is ignored from construction on.
//
// One for each process, made by main before other threads; main waits in it.
class StopSignals {
 public:
  StopSignals();

  // Before wait().
  void on_reload(std::function<void()> reload) { reload_ = std::move(reload); }
  // Blocks until a signal or stop(). Returns the status to exit with: 0 after a signal. Once.
  [[nodiscard]] int wait();
  // Why it ended, for the log: "SIGTERM", or what stop() was given.
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

  // Ends wait() from inside: when the daemon finds that it must not go on. The first call counts. Any thread.
  void stop(int status, std::string reason);

 private:
  void end(int status, std::string reason);
  void await_reload();

  // Main's thread only.
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_;
  LoopPulse pulse_{"main", context_};
  asio::basic_signal_set<Executor> signals_;
  asio::basic_signal_set<Executor> reload_signal_;
  std::function<void()> reload_;
  int status_ = 0;
  std::string reason_;
  bool ended_ = false;
};

}  // namespace hongyan::net
