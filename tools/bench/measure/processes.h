// CPU time and memory of processes and threads.
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

// The processes whose NAME.pid files are in a folder, by name. Left out are those that are gone, and pids
// that meanwhile belong to a process without dev-cluster's marker `cluster_folder`:NAME (docs/operations.md);
// an empty cluster_folder trusts the files.
[[nodiscard]] std::vector<ProcessUse> look_at_processes(const std::string& folder,
                                                        const std::string& cluster_folder);

// Of a thread of this process, in seconds since its start.
struct ThreadUse {
  int tid = 0;
  double running = 0;
  double waiting = 0;  // for a core, while it could have run
};
[[nodiscard]] std::vector<ThreadUse> look_at_own_threads();

// User and system time of this process.
[[nodiscard]] double own_cpu_seconds();

}  // namespace hongyan::bench
