#include "tools/bench/measure/processes.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>

namespace hongyan::bench {

namespace {

// User and system time to the nanosecond; /proc/PID/stat counts in hundredths of a second.
std::optional<double> cpu_seconds(int pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return std::nullopt;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint64_t resident_bytes(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// Whether the process carries dev-cluster's marker with this value.
bool is_marked(int pid, const std::string& marker) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ");
  for (std::string entry; std::getline(file, entry, '\0');) {
    if (entry == "HONGYAN_DEV_CLUSTER_PROCESS=" + marker) return true;
  }
  return false;
}

}  // namespace

std::vector<ProcessUse> look_at_processes(const std::string& folder, const std::string& cluster_folder) {
  std::vector<ProcessUse> out;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".pid") continue;
    int pid = 0;
    if (!(std::ifstream(entry.path()) >> pid)) continue;
    const std::string name = entry.path().stem().string();
    if (!cluster_folder.empty() && !is_marked(pid, cluster_folder + ":" + name)) continue;
    const auto cpu = cpu_seconds(pid);
    if (!cpu) continue;
    out.push_back({.name = name, .pid = pid, .cpu_seconds = *cpu, .resident_bytes = resident_bytes(pid)});
  }
  std::ranges::sort(out, {}, &ProcessUse::name);
  return out;
}

std::vector<ThreadUse> look_at_own_threads() {
  std::vector<ThreadUse> out;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    std::uint64_t running = 0;  // ns
    std::uint64_t waiting = 0;
    if (!(std::ifstream(entry.path() / "schedstat") >> running >> waiting)) continue;
    out.push_back({.tid = std::stoi(entry.path().filename().string()),
                   .running = static_cast<double>(running) / 1e9,
                   .waiting = static_cast<double>(waiting) / 1e9});
  }
  return out;
}

double own_cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

}  // namespace hongyan::bench
