// hongyan-bench c2c: pairs of users, all online, in a closed loop.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "tools/bench/report.h"

namespace hongyan::bench {

struct C2cOptions {
  std::vector<std::string> gates = {};  // host:port; pairs are spread over them
  std::string app_id = "demo";
  std::string api = {};
  std::string api_key = {};
  std::string pids = {};  // folder of NAME.pid; empty: server CPU is not measured
  int pairs = 50;
  int window = 8;
  std::size_t size = 100;
  double seconds = 15;
  double warm_up_seconds = 3;
  int loops = 1;
  bool progress = true;  // a line a second on standard error
};

// Blocks. Errors: no token, no login, a lost connection, a final refusal.
[[nodiscard]] Result<Report> run_c2c(const C2cOptions& options);

}  // namespace hongyan::bench
