#include "tools/bench/processes.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace hongyan::bench {

namespace {

// Fields 14 and 15 of /proc/PID/stat; the name in field 2 may hold spaces and parentheses.
std::optional<double> cpu_seconds(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
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
