#include "logic/store/mysql/writer_sql.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

namespace hongyan::logic {

namespace {

constexpr std::size_t kColumns = 13;  // of either table
// Above kExactRows a batch takes several statements of these sizes: each prepared statement costs the server
// memory by the row.
constexpr std::size_t kExactRows = 32;
constexpr std::array<std::size_t, 8> kLadder = {512, 384, 256, 192, 128, 96, 64, 48};
static_assert(kLadder.front() * kColumns <= 65'535, "placeholders of one statement");
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

// Keys and rows of one text statement: keeps it well below max_allowed_packet and quick to parse.
constexpr std::size_t kRowsOfAQuery = 128;

constexpr std::string_view kInsertOutbox =
    "INSERT INTO im_message_send (cmd_id, app_id, msg_from, msg_seq, msg_id, slot, msg_type, group_id, "
    "send_time, msg_to, client_msg_id, msg_content, mentions) VALUES ";
constexpr std::string_view kInsertInbox =
    "INSERT INTO im_message_receive (cmd_id, app_id, msg_to, msg_seq, msg_id, msg_type, group_id, group_seq, "
    "send_time, msg_from, client_msg_id, msg_content, mentions) VALUES ";
constexpr std::string_view kPlaces = "(?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr std::string_view kPlacesAfterFirst = ",?,?,?,?,?,?,?,?,?,?,?,?)";

std::string_view content_of(const SharedBytes& content) noexcept {
  return content ? std::string_view(*content) : std::string_view();
}

// NULL when there is nothing.
void bind_optional(MYSQL_BIND& bind, const SharedBytes& bytes) noexcept {
  static my_bool yes = 1;
  bind.is_null = bytes ? nullptr : &yes;
  if (bytes) bind_bytes(bind, *bytes);
}

void set_type(MYSQL_BIND& bind, enum_field_types type, bool is_unsigned = false) noexcept {
  bind.buffer_type = type;
  bind.is_unsigned = is_unsigned ? 1 : 0;
}

template <typename T>
void point(MYSQL_BIND& bind, const T& value) noexcept {
  bind.buffer = const_cast<T*>(&value);  // NOLINT: the library only reads it
}

template <typename Work>
struct Table;

template <>
struct Table<OutboxWork> {
  static constexpr std::string_view kInsert = kInsertOutbox;
  static constexpr std::uint64_t kKey = 1000;
  static void set_types(MYSQL_BIND* bind) {
    for (const int column : {1, 2, 9, 10, 11, 12}) set_type(bind[column], MYSQL_TYPE_BLOB);
    for (const int column : {3, 4, 7, 8}) set_type(bind[column], MYSQL_TYPE_LONGLONG);
    for (const int column : {0, 6}) set_type(bind[column], MYSQL_TYPE_LONG);
    set_type(bind[5], MYSQL_TYPE_SHORT, true);
  }
  static void set_values(MYSQL_BIND* bind, const OutboxWork& row) {
    point(bind[0], row.message.command);
    bind_bytes(bind[1], row.user.app_id);
    bind_bytes(bind[2], row.user.uid);
    point(bind[3], row.seq);
    point(bind[4], row.message.id);
    point(bind[5], row.slot);
    point(bind[6], row.message.type);
    point(bind[7], row.message.group_id);
    point(bind[8], row.message.sent_ms);
    bind_bytes(bind[9], row.message.to);
    bind_bytes(bind[10], row.message.client_msg_id);
    bind_bytes(bind[11], content_of(row.message.content));
    bind_optional(bind[12], row.message.mentions);
  }
};

template <>
struct Table<InboxWork> {
  static constexpr std::string_view kInsert = kInsertInbox;
  static constexpr std::uint64_t kKey = 2000;
  static void set_types(MYSQL_BIND* bind) {
    for (const int column : {1, 2, 9, 10, 11, 12}) set_type(bind[column], MYSQL_TYPE_BLOB);
    for (const int column : {3, 4, 6, 7, 8}) set_type(bind[column], MYSQL_TYPE_LONGLONG);
    for (const int column : {0, 5}) set_type(bind[column], MYSQL_TYPE_LONG);
  }
  static void set_values(MYSQL_BIND* bind, const InboxWork& row) {
    point(bind[0], row.message.command);
    bind_bytes(bind[1], row.user.app_id);
    bind_bytes(bind[2], row.user.uid);
    point(bind[3], row.seq);
    point(bind[4], row.message.id);
    point(bind[5], row.message.type);
    point(bind[6], row.message.group_id);
    point(bind[7], row.message.group_seq);
    point(bind[8], row.message.sent_ms);
    bind_bytes(bind[9], row.message.from);
    bind_bytes(bind[10], row.message.client_msg_id);
    bind_bytes(bind[11], content_of(row.message.content));
    bind_optional(bind[12], row.message.mentions);
  }
};

// fence: null for none.
template <typename Work>
std::string insert_sql(std::size_t rows, const FenceKey* fence) {
  std::string sql(Table<Work>::kInsert);
  sql.reserve(sql.size() + rows * (kPlaces.size() + 1) + 128);
  for (std::size_t i = 0; i < rows; ++i) {
    if (i != 0) sql += ',';
    if (i != 0 || fence == nullptr) {
      sql += kPlaces;
      continue;
    }
    fmt::format_to(std::back_inserter(sql),
                   "((SELECT IF(barrier = ?, ?, NULL) FROM im_node WHERE node = {} AND epoch = {} "
                   "LOCK IN SHARE MODE)",
                   fence->node, fence->epoch);
    sql += kPlacesAfterFirst;
  }
  return sql;
}

void append_user(std::string& sql, const UserKey& user) {
  append_hex_literal(sql, user.app_id);
  sql += " a,";
  append_hex_literal(sql, user.uid);
  sql += " u";
}

// SELECT ... FROM (SELECT 0 n, x'..' a, x'..' u UNION ALL ...) v: portable, where MariaDB and MySQL differ on
// VALUES.
template <typename Item, typename Append>
DbStatus by_chunks(MysqlConnection& connection, std::span<Item* const> items, std::string_view head,
                   std::string_view tail, const Append& append, const MysqlConnection::OnRow& on_row) {
  std::string sql;
  for (std::size_t begin = 0; begin < items.size(); begin += kRowsOfAQuery) {
    sql = head;
    for (std::size_t i = begin; i < std::min(items.size(), begin + kRowsOfAQuery); ++i) {
      fmt::format_to(std::back_inserter(sql), "{}SELECT {} n,", i == begin ? "" : " UNION ALL ", i);
      append(sql, *items[i]);
    }
    sql += tail;
    if (auto done = connection.query(sql, on_row); !done) return done;
  }
  return {};
}

}  // namespace

template <typename Work>
RowInsert<Work>::RowInsert() : binds_(1 + kLadder.front() * kColumns) {
  set_type(binds_[0], MYSQL_TYPE_LONGLONG, true);
  point(binds_[0], barrier_);
  for (std::size_t row = 0; row < kLadder.front(); ++row) Table<Work>::set_types(&binds_[1 + row * kColumns]);
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
    for (std::size_t i = 0; i < count; ++i) Table<Work>::set_values(&binds_[1 + i * kColumns], *rows[i]);
    if (fence != nullptr) barrier_ = fence->barrier;
    const std::uint64_t key =
        Table<Work>::kKey + count + (fence != nullptr ? fence->epoch * kKeysAnEpoch : 0);
    auto statement = connection.statement(key, [&] { return insert_sql<Work>(count, fence); });
    if (!statement) return std::unexpected(statement.error());
    const auto places = std::span(binds_).first(1 + count * kColumns).subspan(fence != nullptr ? 0 : 1);
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

DbStatus load_tails(MysqlConnection& connection, WriterBatch& batch) {
  // FORCE INDEX and the full descending order make it one read of the primary key a user, however many rows
  // there are.
  return by_chunks(
      connection, batch.unknown_users(),
      "SELECT v.n, "
      "(SELECT r.msg_seq FROM im_message_receive r FORCE INDEX (PRIMARY) WHERE r.app_id = v.a AND r.msg_to = "
      "v.u "
      "ORDER BY r.app_id DESC, r.msg_to DESC, r.msg_seq DESC LIMIT 1), "
      "(SELECT s.msg_seq FROM im_message_send s FORCE INDEX (PRIMARY) WHERE s.app_id = v.a AND s.msg_from = "
      "v.u "
      "ORDER BY s.app_id DESC, s.msg_from DESC, s.msg_seq DESC LIMIT 1) FROM (",
      ") v", [](std::string& sql, const UserTails& user) { append_user(sql, *user.key); },
      [&batch](const TextRow& row) {
        batch.set_tails(static_cast<std::size_t>(row.number(0)), row.number(1), row.number(2));
      });
}

DbStatus load_cursors(MysqlConnection& connection, std::span<TailsWork* const> works) {
  const auto append = [](std::string& sql, const TailsWork& work) { append_user(sql, work.user); };
  auto cursors =
      by_chunks(connection, works,
                "SELECT STRAIGHT_JOIN v.n, c.device_class, c.kind, c.acked_seq, c.group_id, u.banned_until, "
                "u.ban_reason "
                "FROM (",
                ") v LEFT JOIN im_user u FORCE INDEX (PRIMARY) ON u.app_id = v.a AND u.user_id = v.u "
                "LEFT JOIN im_user_cursor c FORCE INDEX (PRIMARY) ON c.app_id = v.a AND c.user_id = v.u",
                append, [works](const TextRow& row) {
                  TailsWork& work = *works[static_cast<std::size_t>(row.number(0))];
                  if (row.number(5) != 0)
                    work.ban = {.until_ms = row.number(5), .reason = std::string(row.text(6))};
                  if (row.is_null(1)) return;
                  work.cursors.push_back({.device_class = static_cast<DeviceClass>(row.number(1)),
                                          .kind = static_cast<CursorKind>(row.number(2)),
                                          .seq = row.number(3),
                                          .group_id = row.number(4)});
                });
  if (!cursors) return cursors;
  return by_chunks(
      connection, works,
      "SELECT STRAIGHT_JOIN v.n, g.group_id, g.changed_seq, g.joined_seq, g.left_seq, g.large_from_seq FROM "
      "(",
      ") v JOIN im_user_group g FORCE INDEX (PRIMARY) ON g.app_id = v.a AND g.user_id = v.u", append,
      [works](const TextRow& row) {
        works[static_cast<std::size_t>(row.number(0))]->groups.push_back({.group_id = row.number(1),
                                                                          .changed_seq = row.number(2),
                                                                          .joined_seq = row.number(3),
                                                                          .left_seq = row.number(4),
                                                                          .large_from_seq = row.number(5)});
      });
}

DbStatus write_memberships(MysqlConnection& connection, std::span<InboxWork* const> rows) {
  std::string sql;
  std::size_t count = 0;
  const auto send = [&]() -> DbStatus {
    if (std::exchange(count, 0) == 0) return {};
    // Assignments run from left to right, so the row's own changed_seq comes last.
    sql +=
        " ON DUPLICATE KEY UPDATE left_seq = IF(VALUES(changed_seq) > changed_seq, VALUES(left_seq), "
        "left_seq), "
        "large_from_seq = IF(VALUES(changed_seq) > changed_seq, VALUES(large_from_seq), large_from_seq), "
        "changed_seq = GREATEST(changed_seq, VALUES(changed_seq))";
    return connection.query(sql);
  };
  for (const InboxWork* row : rows) {
    if (!row->membership) continue;
    if (count == kRowsOfAQuery) {
      if (auto sent = send(); !sent) return sent;
    }
    sql = count == 0
              ? "INSERT INTO im_user_group (app_id, user_id, group_id, changed_seq, joined_seq, left_seq, "
                "large_from_seq) VALUES ("
              : std::move(sql) + ",(";
    append_hex_literal(sql, row->user.app_id);
    sql += ',';
    append_hex_literal(sql, row->user.uid);
    const Membership& membership = *row->membership;
    fmt::format_to(std::back_inserter(sql), ",{},{},{},{},{})", membership.group_id, membership.changed_seq,
                   membership.joined_seq, membership.left_seq, membership.large_from_seq);
    ++count;
  }
  return send();
}

DbStatus look_up(MysqlConnection& connection, WriterBatch& batch, SteadyTime now) {
  auto outbox = by_chunks(
      connection, batch.lookup_outbox(),
      "SELECT STRAIGHT_JOIN v.n, s.msg_id, s.msg_seq, s.send_time, s.msg_to, s.group_id, s.cmd_id FROM (",
      ") v JOIN im_message_send s FORCE INDEX (by_client_msg_id) ON s.app_id = v.a AND s.msg_from = v.u "
      "AND s.client_msg_id = v.c",
      [](std::string& sql, const OutboxWork& work) {
        append_user(sql, work.user);
        sql += ',';
        append_hex_literal(sql, work.message.client_msg_id);
        sql += " c";
      },
      [&batch, now](const TextRow& row) {
        batch.found_outbox(static_cast<std::size_t>(row.number(0)),
                           {.id = row.number(1),
                            .seq = row.number(2),
                            .sent_ms = row.number(3),
                            .target = {.to = std::string(row.text(4)),
                                       .group_id = row.number(5),
                                       .command = static_cast<std::int32_t>(row.number(6))}},
                           now);
      });
  if (!outbox) return outbox;
  return by_chunks(
      connection, batch.lookup_inbox(), "SELECT STRAIGHT_JOIN v.n, r.msg_seq FROM (",
      ") v JOIN im_message_receive r FORCE INDEX (by_msg_id) ON r.app_id = v.a AND r.msg_to = v.u AND "
      "r.msg_id = v.i",
      [](std::string& sql, const InboxWork& work) {
        append_user(sql, work.user);
        fmt::format_to(std::back_inserter(sql), ",{} i", work.message.id);
      },
      [&batch](const TextRow& row) {
        batch.found_inbox(static_cast<std::size_t>(row.number(0)), row.number(1));
      });
}

}  // namespace hongyan::logic
