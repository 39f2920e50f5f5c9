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

#include "logic/store/box_works.h"
#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/sql/fence.h"

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

// Each calls back with what there is, and with which of the given it belongs to: none, or once for each.
using OnTails = std::function<void(std::size_t user, std::int64_t inbox, std::int64_t outbox)>;
[[nodiscard]] DbStatus load_tails(MysqlConnection& connection, std::span<const UserKey* const> users,
                                  const OnTails& on_tails);
// The row of that sender and client_msg_id: its number, id, time and target.
using OnOutboxRow = std::function<void(std::size_t work, const StoredMessage& row)>;
[[nodiscard]] DbStatus look_up_outbox(MysqlConnection& connection, std::span<OutboxWork* const> works,
                                      const OnOutboxRow& on_row);
// The row of that receiver and msg_id: its number.
using OnInboxRow = std::function<void(std::size_t work, std::int64_t seq)>;
[[nodiscard]] DbStatus look_up_inbox(MysqlConnection& connection, std::span<InboxWork* const> works,
                                     const OnInboxRow& on_row);

}  // namespace hongyan::logic
