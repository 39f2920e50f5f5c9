// hongyan-bench idle: connections that do nothing but heartbeats.
#pragma once

#include "common/base/result.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/report.h"

namespace hongyan::bench {

struct IdleOptions {
  LoadOptions load;  // seconds, loops, progress
  int connections = 1'000;
  double heartbeat = 0;  // seconds; 0: as AuthResp says
};

// Logs users in, then measures what it costs to hold them. Blocks. Errors: too few open files allowed, a
// login that fails.
[[nodiscard]] Result<Report> run_idle(const Cluster& cluster, const IdleOptions& options);

}  // namespace hongyan::bench
