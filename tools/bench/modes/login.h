// hongyan-bench login: users that log in and out again and again.
#pragma once

#include "common/base/result.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/report.h"

namespace hongyan::bench {

struct LoginOptions {
  LoadOptions load;      // seconds, warm-up, loops, progress
  int connections = 50;  // at once
  int users = 5'000;     // in turn; at least one a connection
};

// Every login is a new connection, an AUTH that succeeds, a LOGOUT that is answered, and the server's close.
// Blocks. Errors: a login that fails for another reason than load.
[[nodiscard]] Result<Report> run_login(const Cluster& cluster, const LoginOptions& options);

}  // namespace hongyan::bench
