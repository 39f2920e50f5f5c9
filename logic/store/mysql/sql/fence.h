// The fence: what a write asks of its node's row in im_node, so that it is committed by whoever holds the
// slots or not at all.
#pragma once

#include <cstdint>
#include <memory>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/state/tenure.h"

namespace hongyan::logic {

enum class Fence : std::uint8_t { kHolds, kRefused };

// Whose fence a write is under, as in im_node. A statement that is read late, after a barrier was passed, is
// refused.
struct FenceKey {
  std::uint32_t node = 0;
  std::uint64_t epoch = 0;
  std::uint64_t barrier = 0;
};

// What the server says of an INSERT whose first value, the fence's, is NULL.
[[nodiscard]] bool refused_by_fence(const DbError& error) noexcept;

// START TRANSACTION and the share lock on the node's row, in one round trip. kRefused: another epoch or
// barrier, or no row.
[[nodiscard]] DbResult<Fence> begin_fenced(MysqlConnection& connection, const FenceKey& key);

// The barrier of the node's row and the slots it owns, of one moment. Null: another epoch, or no row.
[[nodiscard]] DbResult<std::shared_ptr<Tenure>> read_tenure(MysqlConnection& connection, std::uint32_t node,
                                                            std::uint64_t epoch);

// Waits for a transaction in doubt to end, flushes everything before, and shuts out what was sent under the
// barrier before and has not begun. False: another epoch, or no row.
[[nodiscard]] DbResult<bool> pass_barrier(MysqlConnection& connection, std::uint32_t node,
                                          std::uint64_t epoch);

}  // namespace hongyan::logic
