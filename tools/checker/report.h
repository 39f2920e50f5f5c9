// The result of a run, for people and as JSON.
#pragma once

#include <string>

#include "tools/checker/run.h"

namespace hongyan::checker {

[[nodiscard]] std::string to_table(const RunOptions& options, const RunResult& result);
// One line.
[[nodiscard]] std::string to_json(const RunOptions& options, const RunResult& result);

}  // namespace hongyan::checker
