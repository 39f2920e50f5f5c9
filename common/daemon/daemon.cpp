#include "common/daemon/daemon.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "common/base/version.h"
#include "common/config/schema.h"
#include "common/daemon/supervisor.h"
#include "common/log/audit.h"
#include "common/log/log.h"
#include "common/metrics/admin_server.h"

namespace hongyan::daemon {

namespace {

// Writes what is still queued, however main is left.
struct LogGuard {
  LogGuard(const Program& program, log::Level level) { log::init(program.name, level); }
  ~LogGuard() {
    audit::close();
    log::shutdown();
  }
  LogGuard(const LogGuard&) = delete;
  LogGuard& operator=(const LogGuard&) = delete;
};

Result<std::unique_ptr<Daemon>> start_guarded(const Start& start, Context& context) {
  try {
    return start(context);
  } catch (const std::exception& e) {
    return fail(Code::kInternal, e.what());
  }
}

Result<int> serve(const Program& program, const config::CommonConfig& common, const Start& start) {
  const LogGuard log_guard(program, common.log.parsed());
  if (auto opened = audit::open(program.name, common.audit); !opened) {
    return fail(opened.error().code, "audit.file: " + opened.error().message);
  }
  net::StopSignals signals;
  metrics::Registry registry;
  metrics::Health health;
  metrics::add_process_metrics(registry, program.name, version());
  Context context{.metrics = registry, .health = health, .signals = signals};
  Supervisor supervisor(health);

  // Declared before the admin server, destroyed after it: checks and refreshers refer to the daemon.
  std::unique_ptr<Daemon> daemon;
  std::unique_ptr<metrics::AdminServer> admin;
  auto started = start_guarded(start, context);
  if (!started) return std::unexpected(started.error());
  daemon = std::move(*started);
  if (common.metrics.listen.set()) {
    const auto& listen = common.metrics.listen;
    auto listening = metrics::AdminServer::start(listen.host, listen.port, registry, health);
    if (!listening) {
      daemon->stop();
      return std::unexpected(Error{listening.error().code, "metrics.listen: " + listening.error().message});
    }
    admin = std::move(*listening);
    log::info("daemon", "metrics listening host={} port={}", listen.host, admin->local_port());
  }
  log::info("daemon", "started program={} version={}", program.name, version());
  supervisor.ready();
  signals.on_reload([&daemon] { daemon->reload(); });
  const int status = signals.wait();
  log::info("daemon", "stopping reason={}", signals.reason());
  supervisor.stopping(signals.reason());
  const auto begin = SteadyClock::now();
  daemon->stop();
  admin.reset();
  daemon.reset();
  const auto took = std::chrono::duration_cast<Milliseconds>(SteadyClock::now() - begin);
  log::info("daemon", "stopped took_ms={}", took.count());
  return status;
}

}  // namespace

void Daemon::reload() { log::info("daemon", "SIGHUP: nothing to reload"); }

int run(const Program& program, int argc, const char* const* argv, config::Schema& schema,
        config::CommonConfig& common, const Start& start) {
  config::CommandLine line(program.name, program.description);
  try {
    if (const auto status = line.run(argc, argv, schema, common)) return *status;
    const auto status = serve(program, common, start);
    if (status) return *status;
    fmt::print(stderr, "{}: {}\n", program.name, status.error().message);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", program.name, e.what());
  }
  return 1;
}

}  // namespace hongyan::daemon
