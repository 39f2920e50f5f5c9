#include "logic/store/mysql/group_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace hongyan::logic {

namespace {

constexpr std::size_t kUsersOfAStatement = 512;
constexpr std::size_t kMostFound = 256;
constexpr std::int64_t kFirstPage = 16;
constexpr std::int64_t kNextPage = 64;

constexpr std::string_view kRowColumns =
    "app_id, group_id, slot, group_seq, msg_id, placed_id, cmd_id, msg_type, send_time, msg_from, "
    "client_msg_id, "
    "mentions, msg_content";

std::string key_of(const std::string& app_id, std::int64_t group_id) {
  std::string sql = "app_id = ";
  append_hex_literal(sql, app_id);
  fmt::format_to(std::back_inserter(sql), " AND group_id = {}", group_id);
  return sql;
}

void append_ids(std::string& sql, std::span<const MsgId> ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    fmt::format_to(std::back_inserter(sql), "{}{}", i == 0 ? "" : ",", ids[i]);
  }
}

// fence: null for none; else the first value takes the lock, and is NULL without it.
void append_row(std::string& sql, const GroupWork& work, const GroupRow& row, const FenceKey* fence) {
  const Message& message = row.message;
  if (fence != nullptr) {
    fmt::format_to(
        std::back_inserter(sql),
        "((SELECT {} FROM im_node WHERE node = {} AND epoch = {} AND barrier = {} LOCK IN SHARE MODE)",
        message.command, fence->node, fence->epoch, fence->barrier);
  } else {
    fmt::format_to(std::back_inserter(sql), "({}", message.command);
  }
  sql += ',';
  append_hex_literal(sql, work.user.app_id);
  fmt::format_to(std::back_inserter(sql), ",{},{},{},{},{},{},{},", work.group_id, work.slot,
                 message.group_seq, message.id, row.placed_id, message.type, message.sent_ms);
  append_hex_literal(sql, message.from);
  sql += ',';
  append_hex_literal(sql, message.client_msg_id);
  sql += ',';
  if (message.mentions) {
    append_hex_literal(sql, *message.mentions);
  } else {
    sql += "NULL";
  }
  sql += ',';
  append_hex_literal(sql, message.content ? std::string_view(*message.content) : std::string_view());
  sql += ')';
}

constexpr std::string_view kInsertRow =
    "INSERT INTO im_group_message (cmd_id, app_id, group_id, slot, group_seq, msg_id, placed_id, msg_type, "
    "send_time, msg_from, client_msg_id, mentions, msg_content) VALUES ";

// Text for a column of text: bytes that are no UTF-8 are refused before they come here.
void append_text(std::string& sql, std::string_view text) {
  sql += "_utf8mb4 ";
  append_hex_literal(sql, text);
}

DbStatus store_info(MysqlConnection& connection, const GroupWork& work) {
  const GroupInfo& info = *work.info;
  std::string sql =
      "INSERT INTO im_group_msgs (app_id, group_id, name, announcement, owner, create_user, create_time, "
      "large_from_seq, dissolved_seq) VALUES (";
  append_hex_literal(sql, work.user.app_id);
  fmt::format_to(std::back_inserter(sql), ",{},", work.group_id);
  append_text(sql, info.name);
  sql += ',';
  append_text(sql, info.announcement);
  sql += ',';
  append_hex_literal(sql, info.owner);
  sql += ',';
  append_hex_literal(sql, info.create_user);
  fmt::format_to(
      std::back_inserter(sql),
      ",{},{},{}) ON DUPLICATE KEY UPDATE name = VALUES(name), announcement = VALUES(announcement), "
      "owner = VALUES(owner), large_from_seq = VALUES(large_from_seq), "
      "dissolved_seq = VALUES(dissolved_seq)",
      info.create_time, info.large_from_seq, info.dissolved_seq);
  return connection.query(sql);
}

DbStatus store_joined(MysqlConnection& connection, const GroupWork& work, std::int64_t seq) {
  for (std::size_t begin = 0; begin < work.joined.size(); begin += kUsersOfAStatement) {
    std::string sql = "INSERT INTO im_group_users (app_id, group_id, user_id, joined_seq) VALUES ";
    for (std::size_t i = begin; i < std::min(work.joined.size(), begin + kUsersOfAStatement); ++i) {
      sql += i == begin ? "(" : ",(";
      append_hex_literal(sql, work.user.app_id);
      fmt::format_to(std::back_inserter(sql), ",{},", work.group_id);
      append_hex_literal(sql, work.joined[i]);
      fmt::format_to(std::back_inserter(sql), ",{})", seq);
    }
    if (auto done = connection.query(sql); !done) return done;
  }
  return {};
}

DbStatus store_left(MysqlConnection& connection, const GroupWork& work, std::int64_t seq) {
  const std::string update = fmt::format("UPDATE im_group_users SET left_seq = {} WHERE {} AND left_seq = 0",
                                         seq, key_of(work.user.app_id, work.group_id));
  if (work.all_left) return connection.query(update);
  for (std::size_t begin = 0; begin < work.left.size(); begin += kUsersOfAStatement) {
    std::string sql = update + " AND user_id IN (";
    for (std::size_t i = begin; i < std::min(work.left.size(), begin + kUsersOfAStatement); ++i) {
      if (i != begin) sql += ',';
      append_hex_literal(sql, work.left[i]);
    }
    if (auto done = connection.query(sql + ")"); !done) return done;
  }
  return {};
}

DbStatus store_outcome(MysqlConnection& connection, const GroupWork& work) {
  const CtrlOutcome& outcome = *work.answer;
  std::string sql = "INSERT INTO im_ctrl_outcome (app_id, group_id, msg_id, code, message, result) VALUES (";
  append_hex_literal(sql, work.user.app_id);
  fmt::format_to(std::back_inserter(sql), ",{},{},{},", work.group_id, outcome.msg_id,
                 static_cast<int>(outcome.error.code));
  append_hex_literal(sql, std::string_view(outcome.error.message).substr(0, 512));
  sql += ',';
  append_hex_literal(sql, outcome.result);
  return connection.query(sql + ")");
}

DbResult<std::vector<GroupRedoRow>> read_rows(MysqlConnection& connection, const std::string& sql) {
  std::vector<GroupRedoRow> rows;
  auto done = connection.query(sql, [&rows](const TextRow& row) {
    rows.push_back(
        {.app_id = std::string(row.text(0)),
         .slot = static_cast<Slot>(row.number(2)),
         .row = {.message = {.id = row.number(4),
                             .from = std::string(row.text(9)),
                             .to = {},
                             .client_msg_id = std::string(row.text(10)),
                             .content = share(std::string(row.text(12))),
                             .mentions = row.is_null(11) ? nullptr : share(std::string(row.text(11))),
                             .group_id = row.number(1),
                             .group_seq = row.number(3),
                             .sent_ms = row.number(8),
                             .command = static_cast<std::int32_t>(row.number(6)),
                             .type = static_cast<std::int32_t>(row.number(7))},
                 .placed_id = row.number(5)}});
  });
  if (!done) return std::unexpected(done.error());
  return rows;
}

}  // namespace

DbStatus load_group(MysqlConnection& connection, GroupWork& work) {
  const std::string key = key_of(work.user.app_id, work.group_id);
  work.found = false;
  work.members.clear();
  auto info = connection.query(
      "SELECT name, announcement, owner, create_user, create_time, large_from_seq, dissolved_seq FROM "
      "im_group_msgs WHERE " +
          key,
      [&work](const TextRow& row) {
        work.found = true;
        work.info = GroupInfo{.name = std::string(row.text(0)),
                              .announcement = std::string(row.text(1)),
                              .owner = std::string(row.text(2)),
                              .create_user = std::string(row.text(3)),
                              .create_time = row.number(4),
                              .large_from_seq = row.number(5),
                              .dissolved_seq = row.number(6)};
      });
  if (!info || !work.found) return info;
  auto head = connection.query("SELECT MAX(group_seq) FROM im_group_message WHERE " + key,
                               [&work](const TextRow& row) { work.head = row.number(0); });
  if (!head) return head;
  if (work.rows_after) {
    auto rows = read_rows(
        connection,
        fmt::format("SELECT {} FROM im_group_message WHERE {} AND group_seq > {} ORDER BY group_seq LIMIT {}",
                    kRowColumns, key, *work.rows_after, kMostFound));
    if (!rows) return std::unexpected(rows.error());
    work.rows.clear();
    // The next number met will be the next page's first.
    if (rows->size() == kMostFound) work.head = rows->back().row.message.group_seq;
    for (auto& found : *rows) work.rows.push_back(std::move(found.row));
  }
  const std::string since = work.left_since > 0
                                ? fmt::format(" AND (left_seq = 0 OR left_seq >= {})", work.left_since)
                                : " AND left_seq = 0";
  return connection.query(
      "SELECT user_id, joined_seq, left_seq FROM im_group_users WHERE " + key + since +
          " ORDER BY user_id, joined_seq",
      [&work](const TextRow& row) {
        work.members.push_back(
            {.uid = std::string(row.text(0)), .joined_seq = row.number(1), .left_seq = row.number(2)});
      });
}

DbStatus find_placed(MysqlConnection& connection, GroupWork& work) {
  work.placed.clear();
  work.outcomes.clear();
  if (work.ids.empty()) return {};
  std::string where = key_of(work.user.app_id, work.group_id) + " AND msg_id IN (";
  append_ids(where, work.ids);
  where += ')';
  auto rows = connection.query("SELECT msg_id FROM im_group_message WHERE " + where,
                               [&work](const TextRow& row) { work.placed.push_back(row.number(0)); });
  if (!rows) return rows;
  return connection.query(
      "SELECT msg_id, code, message, result FROM im_ctrl_outcome WHERE " + where,
      [&work](const TextRow& row) {
        work.outcomes.push_back({.msg_id = row.number(0),
                                 .error = {static_cast<Code>(row.number(1)), std::string(row.text(2))},
                                 .result = std::string(row.text(3))});
      });
}

DbResult<Fence> insert_group_rows(MysqlConnection& connection, std::span<GroupWork* const> works,
                                  const FenceKey& fence) {
  std::string sql(kInsertRow);
  bool first = true;
  for (const GroupWork* work : works) {
    for (const GroupRow& row : work->rows) {
      if (!first) sql += ',';
      append_row(sql, *work, row, first ? &fence : nullptr);
      first = false;
    }
  }
  if (auto done = connection.query(sql); !done) {
    if (refused_by_fence(done.error())) return Fence::kRefused;
    return std::unexpected(done.error());
  }
  return Fence::kHolds;
}

DbStatus store_command(MysqlConnection& connection, const GroupWork& work) {
  if (!work.rows.empty()) {
    std::string sql(kInsertRow);
    for (const GroupRow& row : work.rows) {
      if (&row != work.rows.data()) sql += ',';
      append_row(sql, work, row, nullptr);
    }
    if (auto done = connection.query(sql); !done) return done;
    const std::int64_t seq = work.rows.front().message.group_seq;
    if (auto done = store_left(connection, work, seq); !done) return done;
    if (auto done = store_joined(connection, work, seq); !done) return done;
  }
  if (work.info) {
    if (auto done = store_info(connection, work); !done) return done;
  }
  if (work.answer) return store_outcome(connection, work);
  return {};
}

DbResult<bool> is_stored(MysqlConnection& connection, const GroupWork& work) {
  bool found = false;
  const std::string key = key_of(work.user.app_id, work.group_id);
  const std::string sql =
      work.rows.empty()
          ? fmt::format("SELECT 1 FROM im_ctrl_outcome WHERE {} AND msg_id = {}", key, work.answer->msg_id)
          : fmt::format("SELECT 1 FROM im_group_message WHERE {} AND group_seq = {} AND placed_id = {}", key,
                        work.rows.front().message.group_seq, work.rows.front().placed_id);
  if (auto done = connection.query(sql, [&found](const TextRow&) { found = true; }); !done) {
    return std::unexpected(done.error());
  }
  return found;
}

DbResult<std::vector<StoredMessage>> read_group_page(MysqlConnection& connection,
                                                     const GroupPageRequest& request) {
  std::vector<StoredMessage> messages;
  std::size_t bytes = 0;
  std::int64_t after = request.after;
  bool full = false;
  while (!full && messages.size() < request.limit) {
    const std::int64_t page = std::min(messages.empty() ? kFirstPage : kNextPage,
                                       static_cast<std::int64_t>(request.limit - messages.size()));
    auto rows = read_rows(
        connection,
        fmt::format(
            "SELECT {} FROM im_group_message WHERE {} AND group_seq > {} AND group_seq <= {} ORDER BY "
            "group_seq LIMIT {}",
            kRowColumns, key_of(request.app_id, request.group_id), after, request.up_to, page));
    if (!rows) return std::unexpected(rows.error());
    for (auto& [app_id, slot, row] : *rows) {
      const std::int64_t seq = row.message.group_seq;
      StoredMessage message{.seq = seq, .message = std::move(row.message)};
      after = seq;
      if (!messages.empty() && bytes + message.page_bytes() > request.byte_budget) {
        full = true;
        break;
      }
      bytes += message.page_bytes();
      messages.push_back(std::move(message));
    }
    if (rows->size() < static_cast<std::size_t>(page)) break;
  }
  return messages;
}

DbResult<std::vector<GroupRedoRow>> read_placed(MysqlConnection& connection, Slot slot,
                                                std::span<const MsgId> ids) {
  constexpr std::size_t kIds = 64;
  std::vector<GroupRedoRow> rows;
  while (!ids.empty()) {
    const auto some = ids.first(std::min(kIds, ids.size()));
    std::string sql = fmt::format(
        "SELECT {} FROM im_group_message FORCE INDEX (by_slot) WHERE slot = {} AND placed_id IN (",
        kRowColumns, slot);
    append_ids(sql, some);
    sql += ") ORDER BY placed_id";
    auto found = read_rows(connection, sql);
    if (!found) return found;
    std::ranges::move(*found, std::back_inserter(rows));
    ids = ids.subspan(some.size());
  }
  return rows;
}

DbResult<std::vector<GroupRedoRow>> read_placed_above(MysqlConnection& connection,
                                                      std::span<const SlotMark> marks, std::size_t limit) {
  std::string sql = fmt::format("SELECT {} FROM im_group_message FORCE INDEX (by_slot) WHERE ", kRowColumns);
  for (std::size_t i = 0; i < marks.size(); ++i) {
    fmt::format_to(std::back_inserter(sql), "{}(slot = {} AND placed_id > {})", i == 0 ? "" : " OR ",
                   marks[i].slot, marks[i].mark);
  }
  fmt::format_to(std::back_inserter(sql), " ORDER BY slot, placed_id LIMIT {}", limit);
  return read_rows(connection, sql);
}

}  // namespace hongyan::logic
