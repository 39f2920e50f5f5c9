// hongyan-bench c2c: pairs of users, all online.
#pragma once

#include "common/base/result.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/report.h"

namespace hongyan::bench {

struct C2cOptions {
  LoadOptions load;
  int pairs = 50;
  int heavy_senders = 0;  // more pairs whose sender floods; above 0: measured without them first
  std::size_t heavy_window = 64;
};

// Blocks. Errors: no login, a lost connection, a final refusal.
[[nodiscard]] Result<Report> run_c2c(const Cluster& cluster, const C2cOptions& options);

}  // namespace hongyan::bench
