// Reads of what may be unfinished: accepted messages of users and placed ones of groups, by slot, and what
// stands in im_pending.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/sql/text.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Those of one slot with these ids, ascending. Missing ids are left out.
[[nodiscard]] DbResult<std::vector<RedoRow>> read_accepted(MysqlConnection& connection, Slot slot,
                                                           std::span<const MsgId> ids);
[[nodiscard]] DbResult<std::vector<GroupRedoRow>> read_placed(MysqlConnection& connection, Slot slot,
                                                              std::span<const MsgId> ids);

// Those above each slot's mark, by slot and id, at most `limit`.
[[nodiscard]] DbResult<std::vector<RedoRow>> read_accepted_above(MysqlConnection& connection,
                                                                 std::span<const SlotMark> marks,
                                                                 std::size_t limit);
[[nodiscard]] DbResult<std::vector<GroupRedoRow>> read_placed_above(MysqlConnection& connection,
                                                                    std::span<const SlotMark> marks,
                                                                    std::size_t limit);

// Those of a group above a group_seq, ascending, at most `limit`.
[[nodiscard]] DbResult<std::vector<GroupRedoRow>> read_group_above(MysqlConnection& connection,
                                                                   const std::string& app_id,
                                                                   std::int64_t group_id, std::int64_t seq,
                                                                   std::size_t limit);

[[nodiscard]] DbResult<std::vector<PendingEntry>> read_pending(MysqlConnection& connection,
                                                               std::span<const Slot> slots);

}  // namespace hongyan::logic
