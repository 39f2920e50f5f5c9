// Reads what a node that acquired leases finds unfinished.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/sql/text.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// For one reading, on the thread of its connection, which outlives it. `between` is called between queries,
// as they may be many; an error of it ends the reading.
class RedoReader {
 public:
  RedoReader(MysqlConnection& connection, std::function<DbStatus()> between)
      : connection_(connection), between_(std::move(between)) {}

  // Of leases whose acquisition is committed: what nobody else can add to.
  [[nodiscard]] DbResult<Redo> read(std::span<const AcquiredSlot> slots);

 private:
  // Pages of what lies above the marks. read(connection, marks, limit): rows by slot and id.
  template <typename Row>
  [[nodiscard]] DbStatus read_marked(std::span<const AcquiredSlot> slots, std::vector<Row>& rows,
                                     DbResult<std::vector<Row>> (*read)(MysqlConnection&,
                                                                        std::span<const SlotMark>,
                                                                        std::size_t));
  [[nodiscard]] DbStatus read_pending_rows(std::span<const AcquiredSlot> slots, Redo& redo);

  MysqlConnection& connection_;
  const std::function<DbStatus()> between_;
};

}  // namespace hongyan::logic
