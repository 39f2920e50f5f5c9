// hongyan-bench rows: what the cluster's MariaDB takes without Hongyan, to be told beside its figures.
#pragma once

#include "common/base/result.h"
#include "tools/bench/measure/cluster.h"
#include "tools/bench/measure/report.h"

namespace hongyan::bench {

struct RowsOptions {
  double seconds = 3;  // for each number of rows a statement
  std::size_t size = 100;
  bool progress = false;
};

// Multi-row INSERTs over one connection, each committed, into tables of the shape of im_message_send and
// im_message_receive, in a scratch database of its own that is dropped at the end. The server's settings stay
// as they are. Blocks. Errors: of the database.
[[nodiscard]] Result<Report> run_rows(const Cluster& cluster, const RowsOptions& options);

}  // namespace hongyan::bench
