// The workers' counters, as metrics.
#pragma once

#include <memory>
#include <vector>

#include "common/metrics/registry.h"
#include "gate/app/worker.h"

namespace hongyan::gate {

// Both outlive the registry's users. The vector no longer changes.
void add_gate_metrics(metrics::Registry& registry, const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace hongyan::gate
