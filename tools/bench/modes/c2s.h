// hongyan-bench c2s: users that upload to a business service.
#pragma once

#include <string>

#include "common/base/result.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/report.h"

namespace hongyan::bench {

struct C2sOptions {
  LoadOptions load;
  int users = 50;
  std::string destination = "orders";  // of the app's allow-list
};

// Every upload is answered when Kafka has it. Blocks. Errors: no login, a lost connection, a final refusal.
[[nodiscard]] Result<Report> run_c2s(const Cluster& cluster, const C2sOptions& options);

}  // namespace hongyan::bench
