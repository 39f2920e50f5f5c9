// What is written once a second: im_pending, marks and cursors.
#pragma once

#include <cstdint>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Within a transaction under the fence. Only marks of leases still held move.
[[nodiscard]] DbStatus write_upkeep(MysqlConnection& connection, std::uint32_t node, const Upkeep& upkeep);

}  // namespace hongyan::logic
