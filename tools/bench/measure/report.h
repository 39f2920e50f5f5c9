// The result of a run, as a table and as JSON.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tools/bench/measure/check.h"
#include "tools/bench/measure/histogram.h"
#include "tools/bench/measure/meter.h"

namespace hongyan::bench {

// Names are keys of the JSON object; values of one kind keep their order.
struct Report {
  using Value = std::variant<std::int64_t, double, std::string>;
  using Values = std::vector<std::pair<std::string, Value>>;

  std::string bench = {};        // "c2c"
  std::string unit = "msg";      // what is counted: "msgs_per_s", "server_us_per_msg"
  Values parameters = {};        // what was asked for
  std::uint64_t operations = 0;  // done in cost.seconds
  Cost cost = {};
  std::vector<std::pair<std::string, Histogram>> times = {};  // "ack" is told as "ack_ms"
  Values results = {};                                        // further figures
  Values faults = {};                                         // counts that must be 0
  std::vector<std::string> warnings = {};                     // what makes the figures worth less

  void add_faults(const Faults& more);
  // Something was done, and nothing went wrong: exit status 0.
  [[nodiscard]] bool clean() const noexcept;
  [[nodiscard]] double per_second() const noexcept;
};

[[nodiscard]] std::string to_table(const Report& report);
// One line.
[[nodiscard]] std::string to_json(const Report& report);

}  // namespace hongyan::bench
