#include "logic/store/mysql/sql/boxes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "logic/store/mysql/sql/columns.h"
#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

namespace {

// Above kExactRows a batch takes several statements of these sizes: each prepared statement costs the server
// memory by the row.
constexpr std::size_t kExactRows = 32;
constexpr std::array<std::size_t, 8> kLadder = {512, 384, 256, 192, 128, 96, 64, 48};
// Names of prepared statements: table and number of rows, and the epoch when the statement is under the
// fence.
constexpr std::uint64_t kKeysAnEpoch = 10'000;

std::size_t statement_rows(std::size_t rows) noexcept {
  if (rows <= kExactRows) return rows;
  for (const std::size_t step : kLadder) {
    if (step <= rows) return step;
  }
  return kExactRows;
}

template <typename Work>
struct Table;

template <>
struct Table<OutboxWork> {
  static constexpr std::string_view kName = "im_message_send";
  static constexpr std::uint64_t kKey = 1000;
  static constexpr MessageColumns kMessage = kOutboxColumns;
  static constexpr std::array kOwn = {
      column<OutboxWork, [](auto& row) -> auto& { return row.user.app_id; }>("app_id"),
      column<OutboxWork, [](auto& row) -> auto& { return row.user.uid; }>("msg_from"),
      column<OutboxWork, &OutboxWork::seq>("msg_seq"), column<OutboxWork, &OutboxWork::slot>("slot")};
};

template <>
struct Table<InboxWork> {
  static constexpr std::string_view kName = "im_message_receive";
  static constexpr std::uint64_t kKey = 2000;
  static constexpr MessageColumns kMessage = kInboxColumns;
  static constexpr std::array kOwn = {
      column<InboxWork, [](auto& row) -> auto& { return row.user.app_id; }>("app_id"),
      column<InboxWork, [](auto& row) -> auto& { return row.user.uid; }>("msg_to"),
      column<InboxWork, &InboxWork::seq>("msg_seq")};
};

template <typename Work>
constexpr std::size_t kColumns = Table<Work>::kMessage.size() + Table<Work>::kOwn.size();
static_assert(kLadder.front() * std::max(kColumns<OutboxWork>, kColumns<InboxWork>) <= 65'535,
              "placeholders of one statement");

template <typename Work>
void set_types(MYSQL_BIND* bind) {
  const auto set = [&bind](const auto& column) {
    bind->buffer_type = column.type;
    bind->is_unsigned = column.is_unsigned ? 1 : 0;
    ++bind;
  };
  for (const auto& column : Table<Work>::kMessage) set(column);
  for (const auto& column : Table<Work>::kOwn) set(column);
}

template <typename Work>
void set_values(MYSQL_BIND* bind, const Work& row) {
  for (const auto& column : Table<Work>::kMessage) column.point(*bind++, row.message);
  for (const auto& column : Table<Work>::kOwn) column.point(*bind++, row);
}

// fence: null for none.
template <typename Work>
std::string insert_sql(std::size_t rows, const FenceKey* fence) {
  std::string sql = fmt::format("INSERT INTO {} ({},{}) VALUES ", Table<Work>::kName,
                                names_of(Table<Work>::kMessage), names_of(Table<Work>::kOwn));
  std::string rest;  // of a row, after the first value
  for (std::size_t i = 1; i < kColumns<Work>; ++i) rest += ",?";
  rest += ')';
  sql.reserve(sql.size() + rows * (rest.size() + 3) + 128);
  for (std::size_t i = 0; i < rows; ++i) {
    if (i != 0) sql += ',';
    if (i != 0 || fence == nullptr) {
      sql += "(?";
      sql += rest;
      continue;
    }
    append_to(sql,
              "((SELECT IF(barrier = ?, ?, NULL) FROM im_node WHERE node = {} AND epoch = {} "
              "LOCK IN SHARE MODE)",
              fence->node, fence->epoch);
    sql += rest;
  }
  return sql;
}

}  // namespace

template <typename Work>
RowInsert<Work>::RowInsert() : binds_(1 + kLadder.front() * kColumns<Work>) {
  binds_[0].buffer_type = MYSQL_TYPE_LONGLONG;
  binds_[0].is_unsigned = 1;
  binds_[0].buffer = &barrier_;
  for (std::size_t row = 0; row < kLadder.front(); ++row) set_types<Work>(&binds_[1 + row * kColumns<Work>]);
}

template <typename Work>
bool RowInsert<Work>::is_single(std::size_t rows) noexcept {
  return rows != 0 && statement_rows(rows) == rows;
}

template <typename Work>
DbResult<Fence> RowInsert<Work>::run(MysqlConnection& connection, std::span<Work* const> rows,
                                     const FenceKey* fence) {
  for (; !rows.empty(); fence = nullptr) {
    const std::size_t count = statement_rows(rows.size());
    for (std::size_t i = 0; i < count; ++i) set_values<Work>(&binds_[1 + i * kColumns<Work>], *rows[i]);
    if (fence != nullptr) barrier_ = fence->barrier;
    const std::uint64_t key =
        Table<Work>::kKey + count + (fence != nullptr ? fence->epoch * kKeysAnEpoch : 0);
    auto statement = connection.statement(key, [&] { return insert_sql<Work>(count, fence); });
    if (!statement) return std::unexpected(statement.error());
    const auto places = std::span(binds_).first(1 + count * kColumns<Work>).subspan(fence != nullptr ? 0 : 1);
    if (auto done = connection.run(*statement, places); !done) {
      if (fence != nullptr && refused_by_fence(done.error())) return Fence::kRefused;
      return std::unexpected(done.error());
    }
    rows = rows.subspan(count);
  }
  return Fence::kHolds;
}

template class RowInsert<OutboxWork>;
template class RowInsert<InboxWork>;

DbStatus load_tails(MysqlConnection& connection, std::span<const UserKey* const> users,
                    const OnTails& on_tails) {
  // FORCE INDEX and the full descending order make it one read of the primary key a user, however many rows
  // there are.
  return by_table(
      connection, users,
      "SELECT v.n, "
      "(SELECT r.msg_seq FROM im_message_receive r FORCE INDEX (PRIMARY) WHERE r.app_id = v.a AND r.msg_to = "
      "v.u "
      "ORDER BY r.app_id DESC, r.msg_to DESC, r.msg_seq DESC LIMIT 1), "
      "(SELECT s.msg_seq FROM im_message_send s FORCE INDEX (PRIMARY) WHERE s.app_id = v.a AND s.msg_from = "
      "v.u "
      "ORDER BY s.app_id DESC, s.msg_from DESC, s.msg_seq DESC LIMIT 1) FROM (",
      ") v", append_user, [&](const TextRow& row) {
        on_tails(static_cast<std::size_t>(row.number(0)), row.number(1), row.number(2));
      });
}

DbStatus look_up_outbox(MysqlConnection& connection, std::span<OutboxWork* const> works,
                        const OnOutboxRow& on_row) {
  return by_table(
      connection, works,
      "SELECT STRAIGHT_JOIN v.n, s.msg_id, s.msg_seq, s.send_time, s.msg_to, s.group_id, s.cmd_id FROM (",
      ") v JOIN im_message_send s FORCE INDEX (by_client_msg_id) ON s.app_id = v.a AND s.msg_from = v.u "
      "AND s.client_msg_id = v.c",
      [](std::string& sql, const OutboxWork& work) {
        append_user(sql, work.user);
        sql += ',';
        append_hex_literal(sql, work.message.client_msg_id);
        sql += " c";
      },
      [&](const TextRow& row) {
        on_row(static_cast<std::size_t>(row.number(0)),
               {.seq = row.number(2),
                .message = {.id = row.number(1),
                            .to = std::string(row.text(4)),
                            .group_id = row.number(5),
                            .sent_ms = row.number(3),
                            .command = static_cast<std::int32_t>(row.number(6))}});
      });
}

DbStatus look_up_inbox(MysqlConnection& connection, std::span<InboxWork* const> works,
                       const OnInboxRow& on_row) {
  return by_table(
      connection, works, "SELECT STRAIGHT_JOIN v.n, r.msg_seq FROM (",
      ") v JOIN im_message_receive r FORCE INDEX (by_msg_id) ON r.app_id = v.a AND r.msg_to = v.u AND "
      "r.msg_id = v.i",
      [](std::string& sql, const InboxWork& work) {
        append_user(sql, work.user);
        append_to(sql, ",{} i", work.message.id);
      },
      [&](const TextRow& row) { on_row(static_cast<std::size_t>(row.number(0)), row.number(1)); });
}

}  // namespace hongyan::logic
