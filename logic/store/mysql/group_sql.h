// Statements about groups. Each takes one connection, whose thread calls.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "logic/store/group_rows.h"
#include "logic/store/mysql/connection.h"
#include "logic/store/mysql/message_query.h"
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

// Messages of a group with after < group_seq <= up_to, as read_page does; StoredMessage::seq is the
// group_seq.
struct GroupPageRequest {
  std::string app_id;
  std::int64_t group_id = 0;
  std::int64_t after = 0;
  std::int64_t up_to = 0;
  std::size_t limit = 0;
  std::size_t byte_budget = 0;
};
[[nodiscard]] DbResult<std::vector<StoredMessage>> read_group_page(MysqlConnection& connection,
                                                                   const GroupPageRequest& request);

// Rows of the groups of one slot with these placed_ids, ascending. Missing ids are left out.
[[nodiscard]] DbResult<std::vector<GroupRedoRow>> read_placed(MysqlConnection& connection, Slot slot,
                                                              std::span<const MsgId> ids);
// Rows above each slot's mark, by slot and placed_id, at most `limit`.
[[nodiscard]] DbResult<std::vector<GroupRedoRow>> read_placed_above(MysqlConnection& connection,
                                                                    std::span<const SlotMark> marks,
                                                                    std::size_t limit);

}  // namespace hongyan::logic
