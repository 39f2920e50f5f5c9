// Outboxes and inboxes: rows into them, what is there already, and the tails.
#pragma once

#include <mysql.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logic/store/mysql/connection.h"
#include "logic/store/mysql/sql/fence.h"
#include "logic/store/mysql/writer_batch.h"
#include "logic/store/rows.h"

namespace hongyan::logic {

// Multi-row INSERTs into one table, prepared for every number of rows up to 32 and for a ladder above (48,
// 64, 96 ... 512). Parameters are bound straight from the works. The first statement under a fence takes the
// share lock on the node's row itself, so that the fence costs no round trip: its first value is NULL, and
// the statement refused, unless the row has the epoch and the barrier. One thread; its statements belong to
// the connection that it is given.
template <typename Work>
class RowInsert {
 public:
  RowInsert();
  RowInsert(const RowInsert&) = delete;
  RowInsert& operator=(const RowInsert&) = delete;
  // Whether run() takes a single statement: it is a transaction of its own then, where none is open.
  [[nodiscard]] static bool is_single(std::size_t rows) noexcept;
  // fence: null when the transaction holds the lock already. kRefused: nothing was inserted by this call.
  DbResult<Fence> run(MysqlConnection& connection, std::span<Work* const> rows, const FenceKey* fence);

 private:
  std::uint64_t barrier_ = 0;
  std::vector<MYSQL_BIND> binds_;  // the barrier, and the largest step; types are set once
};

[[nodiscard]] DbStatus load_tails(MysqlConnection& connection, WriterBatch& batch);
[[nodiscard]] DbStatus look_up(MysqlConnection& connection, WriterBatch& batch, SteadyTime now);

}  // namespace hongyan::logic
