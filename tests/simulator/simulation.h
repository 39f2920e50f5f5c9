// One run of the whole cluster.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulator/faults.h"
#include "tests/simulator/mutations.h"

namespace hongyan::simulator {

struct RunOptions {
  std::uint64_t seed = 1;
  Milliseconds time{10'000};  // with sends and faults; then everything is healed
  Shape shape;
  std::size_t users = 5;
  bool groups = true;
  bool shares = false;                          // all nodes have slots, instead of one that leads
  std::optional<std::set<std::size_t>> faults;  // of the plan, by place; absent: all
  Mutation mutation = Mutation::kNone;
  bool print = false;  // every line as it comes
};

struct RunResult {
  std::string broken;  // empty: all rules held
  std::uint64_t digest = 0;
  std::deque<std::string> last_lines;
  std::size_t sent = 0;
  std::size_t acknowledged = 0;
  Milliseconds took{0};  // of virtual time
};

[[nodiscard]] RunResult run(const RunOptions& options);

}  // namespace hongyan::simulator
