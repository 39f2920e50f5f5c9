// The statements of a shard writer. Each function is one step of WriterBatch.
#pragma once

#include <mysql.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logic/store/mysql_connection.h"
#include "logic/store/rows.h"
#include "logic/store/writer_batch.h"

namespace hongyan::logic {

// Multi-row INSERTs into one table, prepared for a ladder of row counts (1, 2, 3, 4, 6, 8, 12 ... 512).
// Parameters are bound straight from the works. One thread; its statements belong to the connection that it
// is given.
template <typename Work>
class RowInsert {
 public:
  RowInsert();
  DbStatus run(MysqlConnection& connection, std::span<Work* const> rows);

 private:
  std::vector<MYSQL_BIND> binds_;  // of the largest step; types are set once
  std::string sql_;
};

enum class Fence : std::uint8_t { kHolds, kLost };

// START TRANSACTION and the share lock on the node's row, in one round trip. kLost: another epoch, or no row.
[[nodiscard]] DbResult<Fence> begin_fenced(MysqlConnection& connection, std::uint32_t node,
                                           std::uint64_t epoch);

// Waits for a transaction in doubt to end, and flushes everything before.
[[nodiscard]] DbResult<Fence> pass_barrier(MysqlConnection& connection, std::uint32_t node,
                                           std::uint64_t epoch);

[[nodiscard]] DbStatus load_tails(MysqlConnection& connection, WriterBatch& batch);
[[nodiscard]] DbStatus look_up(MysqlConnection& connection, WriterBatch& batch, SteadyTime now);

// Within a transaction that begin_fenced began.
[[nodiscard]] DbStatus insert_parked(MysqlConnection& connection, const InboxWork& row,
                                     std::string_view reason);

}  // namespace hongyan::logic
