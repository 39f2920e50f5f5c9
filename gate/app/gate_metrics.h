// What the loops count, as metrics.
#pragma once

#include <memory>
#include <vector>

#include "common/metrics/registry.h"
#include "gate/app/gate_loop.h"

namespace hongyan::gate {

// Both outlive the registry's users. The vector no longer changes.
void add_gate_metrics(metrics::Registry& registry, const std::vector<std::unique_ptr<GateLoop>>& loops);

}  // namespace hongyan::gate
