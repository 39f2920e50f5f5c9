// Reads of stored messages in pages, from a box or from a group's order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "logic/store/box_works.h"
#include "logic/store/mysql/connection/connection.h"

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
// The same of a group; seq is the group_seq.
struct GroupPageRequest {
  std::string app_id;
  std::int64_t group_id = 0;
  std::int64_t after = 0;
  std::int64_t up_to = 0;
  std::size_t limit = 0;
  std::size_t byte_budget = 0;
};

// At most `limit` messages with after < seq <= up_to, ascending, contents within byte_budget, but at least
// one. Rows are fetched a few at a time: little more than the budget is ever loaded.
[[nodiscard]] DbResult<std::vector<StoredMessage>> read_page(MysqlConnection& connection,
                                                             const PageRequest& request);
[[nodiscard]] DbResult<std::vector<StoredMessage>> read_page(MysqlConnection& connection,
                                                             const GroupPageRequest& request);

}  // namespace hongyan::logic
