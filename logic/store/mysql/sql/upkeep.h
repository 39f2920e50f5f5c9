// What slot threads hand to the keeper: im_pending, marks (im_slot.mark) and cursors (im_user_cursor).
#pragma once

#include <cstdint>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Within a transaction under the fence. Only marks of leases still held move; the leases themselves are
// written by leases.h.
[[nodiscard]] DbStatus write_upkeep(MysqlConnection& connection, std::uint32_t node, const Upkeep& upkeep);

}  // namespace hongyan::logic
