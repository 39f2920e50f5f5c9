// What the logic daemon tells of itself: metrics and health.
#pragma once

#include <memory>
#include <span>

#include "common/daemon/daemon.h"
#include "logic/api/server_api.h"
#include "logic/app/config.h"
#include "logic/app/slot_thread.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Once, before the daemon serves. What it reads outlives context's registries; `api` may be null.
void add_metrics(daemon::Context& context, const LogicConfig& config, const SlotThreads& threads,
                 std::span<const std::unique_ptr<Shard>> shards, const std::unique_ptr<ServerApi>& api);

}  // namespace hongyan::logic
