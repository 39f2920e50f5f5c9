// The statements about a group: its row, its order, its members, the outcomes of its commands.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "logic/store/group_rows.h"
#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/sql/fence.h"

namespace hongyan::logic {

[[nodiscard]] DbStatus load_group(MysqlConnection& connection, GroupWork& work);
[[nodiscard]] DbStatus find_placed(MysqlConnection& connection, GroupWork& work);

// The rows of works that hold nothing but rows, in one statement that is a transaction of its own under the
// fence.
[[nodiscard]] DbResult<Fence> insert_group_rows(MysqlConnection& connection,
                                                std::span<GroupWork* const> works, const FenceKey& fence);
// Everything of one kStore. Within a transaction that begin_fenced began.
[[nodiscard]] DbStatus store_command(MysqlConnection& connection, const GroupWork& work);
// Whether a kStore of unknown outcome was committed.
[[nodiscard]] DbResult<bool> is_stored(MysqlConnection& connection, const GroupWork& work);

}  // namespace hongyan::logic
