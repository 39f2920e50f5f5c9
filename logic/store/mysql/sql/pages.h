// Reads of stored messages in pages, from a box or from a group's order.
#pragma once

#include <array>
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

// Reads pages, and learns from each how large the rows of that box or group are, so that its next page mostly
// takes one query. Larger rows are forgotten slowly: nobody makes a reader load much more than a page by pulling
// small and large ones in turn, and nobody by pulling small ones makes it load more for others. Owned and used
// by one thread.
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

  std::array<std::size_t, 4096> row_bytes_{};  // of rows read lately, by hash of box or group; 0: none were
};

}  // namespace hongyan::logic
