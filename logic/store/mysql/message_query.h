// Reads stored messages by prepared statements: used by readers and by redo.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "logic/store/mysql/connection.h"
#include "logic/store/rows.h"

namespace hongyan::logic {

enum class Box : std::uint8_t { kInbox, kOutbox };

struct PageRequest {
  Box box = Box::kInbox;
  UserKey user;
  std::int64_t after = 0;
  std::int64_t up_to = 0;
  std::size_t limit = 0;
  std::size_t byte_budget = 0;
};

// At most `limit` messages with after < seq <= up_to, ascending, contents within byte_budget, but at least
// one. Rows are fetched a few at a time: little more than the budget is ever loaded.
[[nodiscard]] DbResult<std::vector<StoredMessage>> read_page(MysqlConnection& connection,
                                                             const PageRequest& request);

// Outbox rows of one slot with these ids, ascending. Missing ids are left out.
[[nodiscard]] DbResult<std::vector<RedoRow>> read_by_ids(MysqlConnection& connection, Slot slot,
                                                         std::span<const MsgId> ids);

// Outbox rows above each slot's mark, by slot and id, `limit` at most after `last`.
struct SlotMark {
  Slot slot = 0;
  MsgId mark = 0;
};
[[nodiscard]] DbResult<std::vector<RedoRow>> read_above(MysqlConnection& connection,
                                                        std::span<const SlotMark> marks, std::size_t limit);

}  // namespace hongyan::logic
