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

// Reads pages, and learns from each how large rows are, so that the next page mostly takes one query. Owned and
// used by one thread.
class PageReader {
 public:
  // At most `limit` messages with after < seq <= up_to, ascending, contents within byte_budget, but at least
  // one. As many rows are fetched at a time as are likely to fit: little more than the budget is ever loaded,
  // as long as rows are not much larger than those before.
  [[nodiscard]] DbResult<std::vector<StoredMessage>> read(MysqlConnection& connection,
                                                          const PageRequest& request);
  [[nodiscard]] DbResult<std::vector<StoredMessage>> read(MysqlConnection& connection,
                                                          const GroupPageRequest& request);

 private:
  struct Source;
  template <typename Request>
  [[nodiscard]] DbResult<std::vector<StoredMessage>> read_from(MysqlConnection& connection,
                                                               const Source& source, const Request& request);
  // How many rows are likely to fit what is left of the budget.
  [[nodiscard]] std::size_t next_fetch(std::size_t messages, std::size_t bytes,
                                       std::size_t byte_budget) const;
  void learn(std::size_t messages, std::size_t bytes) noexcept;

  std::size_t row_bytes_ = 0;  // of those read lately; 0: none was
};

}  // namespace hongyan::logic
