// hongyan-bench group: groups whose members are all online.
#pragma once

#include "common/base/result.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/report.h"

namespace hongyan::bench {

struct GroupOptions {
  LoadOptions load;  // rate: messages, not deliveries
  int groups = 1;
  int members = 50;  // of each group
  int senders = 1;   // of each group; members too
};

// A message has as many deliveries as its group has members: its sender, too, gets it with its place. Every
// delivery is checked. Blocks. Errors: too few open files, no login, a group that cannot be made, a lost
// connection, a final refusal.
[[nodiscard]] Result<Report> run_group(const Cluster& cluster, const GroupOptions& options);

}  // namespace hongyan::bench
