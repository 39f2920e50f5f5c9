// hongyan-bench s2c: business services that send to their users.
#pragma once

#include "common/base/result.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/report.h"

namespace hongyan::bench {

struct S2cOptions {
  LoadOptions load;   // window: calls of each service; rate: messages, not calls
  int services = 20;  // HTTP connections
  int targets = 1;    // users of each service, online; each call goes to all of them
};

// Every message is checked. Blocks. Errors: no login, a lost connection, a final refusal.
[[nodiscard]] Result<Report> run_s2c(const Cluster& cluster, const S2cOptions& options);

}  // namespace hongyan::bench
