#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "common/log/audit.h"
#include "common/log/log.h"
#include "common/metrics/registry.h"
#include "common/net/event_loop.h"

namespace hongyan::metrics {

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code ec;
  double count = -1;  // the one that reads the folder
  for (std::filesystem::directory_iterator it("/proc/self/fd", ec), end; !ec && it != end; it.increment(ec))
    ++count;
  return count;
}

void raise_to(Counter& counter, double value) {
  if (value > counter.Value()) counter.Increment(value - counter.Value());
}

}  // namespace

void add_process_metrics(Registry& registry, const std::string& daemon, const std::string& version) {
  registry
      .gauge("hongyan_build_info", "Always 1; the labels tell.", {{"daemon", daemon}, {"version", version}})
      .Set(1);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  registry.gauge("process_start_time_seconds", "Start of the process, since 1970.")
      .Set(std::chrono::duration<double>(now).count());
  Gauge& memory = registry.gauge("process_resident_memory_bytes", "Resident memory.");
  Gauge& descriptors = registry.gauge("process_open_fds", "Open file descriptors.");
  Counter& cpu = registry.counter("process_cpu_seconds_total", "CPU time, user and system.");
  Counter& dropped =
      registry.counter("hongyan_log_dropped_lines_total", "Log lines that a full queue dropped.");
  Counter& dropped_audit =
      registry.counter("hongyan_audit_dropped_lines_total", "Lines of the audit log that were left out.");
  Counter& escaped =
      registry.counter("hongyan_escaped_exceptions_total", "Exceptions that escaped a coroutine.");
  registry.before_collect([&memory, &descriptors, &cpu, &dropped, &dropped_audit, &escaped] {
    memory.Set(resident_bytes());
    descriptors.Set(open_descriptors());
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0)
      raise_to(cpu, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    raise_to(dropped, static_cast<double>(log::dropped_lines()));
    raise_to(dropped_audit, static_cast<double>(audit::dropped_lines()));
    raise_to(escaped, static_cast<double>(net::EventLoop::escaped_exceptions()));
  });
}

}  // namespace hongyan::metrics
