// CPU time and memory of other processes, from /proc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hongyan::bench {

struct ProcessUse {
  std::string name;  // "gate-1"
  int pid = 0;
  double cpu_seconds = 0;  // user and system, since its start
  std::uint64_t resident_bytes = 0;
};

// The processes whose NAME.pid files are in a folder, by name; those that are gone are left out.
[[nodiscard]] std::vector<ProcessUse> look_at_processes(const std::string& folder);

// User and system time of this process.
[[nodiscard]] double own_cpu_seconds();

}  // namespace hongyan::bench
