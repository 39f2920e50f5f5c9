// hongyan-bench pull: a user's whole inbox, read from the beginning.
#pragma once

#include <string>

#include "common/base/result.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/report.h"

namespace hongyan::bench {

struct PullOptions {
  LoadOptions load;  // size, loops, progress; seconds: the most that filling and pulling may take each
  int messages = 10'000;
  int devices = 1;         // of the user, at once; one a class of devices, so at most 5
  int page = 200;          // messages asked for at a time
  std::string reuse = {};  // "run" of an earlier report with as many messages of the same size
};

// Fills the inbox by ordinary c2c sends, then pulls all of it on each device. Checks count, order, bytes.
// Blocks. Errors: no login, a lost connection, a refusal, an inbox that is not as asked for, time.
[[nodiscard]] Result<Report> run_pull(const Cluster& cluster, const PullOptions& options);

}  // namespace hongyan::bench
