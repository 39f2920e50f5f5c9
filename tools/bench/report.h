// The result of a run, as a table and as JSON.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/histogram.h"
#include "tools/bench/pair.h"
#include "tools/bench/processes.h"

namespace hongyan::bench {

struct Report {
  int pairs = 0;
  int window = 0;
  std::size_t size = 0;
  double seconds = 0;          // measured, without warm-up
  std::uint64_t messages = 0;  // finished in that time
  Histogram ack_times;
  Histogram delivery_times;
  std::vector<ProcessUse> processes = {};  // cpu_seconds: used in that time; resident_bytes: at its end
  double own_cpu_seconds = 0;
  std::uint64_t refused = 0;
  PairTotals totals;  // of the whole run

  [[nodiscard]] bool clean() const noexcept {
    return messages > 0 && totals.lost == 0 && totals.duplicates == 0 && totals.changed == 0 &&
           totals.delivered == totals.sent;
  }
};

[[nodiscard]] std::string to_table(const Report& report);
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace hongyan::bench
