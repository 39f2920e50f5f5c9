// What the main() of every daemon does.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/config/command_line.h"
#include "common/metrics/health.h"
#include "common/metrics/registry.h"
#include "common/net/signals.h"

namespace hongyan::daemon {

// What a daemon is given. Lives until the daemon's destructor has run.
struct Context {
  metrics::Registry& metrics;
  metrics::Health& health;
  net::StopSignals& signals;  // signals.stop(1, "…") ends the process
};

// A running daemon. stop() is called once, by main's thread: refuse new work, drain with a deadline, close,
// join.
class Daemon {
 public:
  virtual ~Daemon() = default;
  virtual void stop() = 0;
  // SIGHUP: reads files anew that may have changed. By main's thread, between start and stop().
  virtual void reload();
};

// Starts the daemon from its configuration, which is loaded and validated by then. An error ends the process
// with one line and status 1, and so does what it throws.
using Start = std::function<Result<std::unique_ptr<Daemon>>(Context&)>;

struct Program {
  std::string name;         // "hongyan-gate"
  std::string description;  // for --help
};

// Command line, configuration, log, signals, metrics listener, start, wait for a signal, stop. Returns the
// status to exit with.
//
//   int main(int argc, char** argv) {
//     iplist::IplistConfig config;
//     config::Schema schema;
//     iplist::bind(schema, config);
//     return daemon::run(
//         {.name = "hongyan-iplist", .description = "The directory."}, argc, argv, schema, config.common,
//         [&config](daemon::Context& context) { return iplist::App::start(config, context); });
//   }
[[nodiscard]] int run(const Program& program, int argc, const char* const* argv, config::Schema& schema,
                      config::CommonConfig& common, const Start& start);

}  // namespace hongyan::daemon
