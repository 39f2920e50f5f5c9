#include "logic/store/mysql/sql/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "logic/store/mysql/sql/columns.h"
#include "logic/store/mysql/sql/redo.h"
#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kMostFound = 256;
// fence: null for none; else the first value takes the lock, and is NULL without it.
void append_row(std::string& sql, const GroupWork& work, const GroupRow& row, const FenceKey* fence) {
  sql += fence == nullptr ? "(" : "((SELECT ";
  for (const auto& column : kGroupColumns) {
    column.append(sql, row.message);
    if (fence != nullptr) {
      append_to(sql, " FROM im_node WHERE node = {} AND epoch = {} AND barrier = {} LOCK IN SHARE MODE)",
                fence->node, fence->epoch, fence->barrier);
      fence = nullptr;
    }
    sql += ',';
  }
  append_hex_literal(sql, work.user.app_id);
  append_to(sql, ",{},{},{})", work.group_id, work.slot, row.placed_id);
}

std::string insert_row() {
  return "INSERT INTO im_group_message (" + names_of(kGroupColumns) +
         ",app_id,group_id,slot,placed_id) VALUES ";
}

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
  append_to(sql, ",{},", work.group_id);
  append_text(sql, info.name);
  sql += ',';
  append_text(sql, info.announcement);
  sql += ',';
  append_hex_literal(sql, info.owner);
  sql += ',';
  append_hex_literal(sql, info.create_user);
  append_to(sql,
            ",{},{},{}) ON DUPLICATE KEY UPDATE name = VALUES(name), announcement = VALUES(announcement), "
            "owner = VALUES(owner), large_from_seq = VALUES(large_from_seq), "
            "dissolved_seq = VALUES(dissolved_seq)",
            info.create_time, info.large_from_seq, info.dissolved_seq);
  return connection.query(sql);
}

DbStatus store_joined(MysqlConnection& connection, const GroupWork& work, std::int64_t seq) {
  return by_statements(connection, std::span(work.joined),
                       "INSERT INTO im_group_users (app_id, group_id, user_id, joined_seq) VALUES ", ",", "",
                       [&](std::string& sql, const std::string& uid) {
                         sql += '(';
                         append_hex_literal(sql, work.user.app_id);
                         append_to(sql, ",{},", work.group_id);
                         append_hex_literal(sql, uid);
                         append_to(sql, ",{})", seq);
                       });
}

DbStatus store_left(MysqlConnection& connection, const GroupWork& work, std::int64_t seq) {
  const std::string update = fmt::format("UPDATE im_group_users SET left_seq = {} WHERE {} AND left_seq = 0",
                                         seq, group_condition(work.user.app_id, work.group_id));
  if (work.all_left) return connection.query(update);
  return by_statements(connection, std::span(work.left), update + " AND user_id IN (", ",", ")",
                       [](std::string& sql, const std::string& uid) { append_hex_literal(sql, uid); });
}

DbStatus store_invites(MysqlConnection& connection, const GroupWork& work, std::int64_t seq) {
  const std::string remove =
      "DELETE FROM im_group_invite WHERE " + group_condition(work.user.app_id, work.group_id);
  if (work.all_left) return connection.query(remove);
  auto removed =
      by_statements(connection, std::span(work.uninvited), remove + " AND user_id IN (", ",", ")",
                    [](std::string& sql, const std::string& uid) { append_hex_literal(sql, uid); });
  if (!removed) return removed;
  return by_statements(connection, std::span(work.invited),
                       "INSERT INTO im_group_invite (app_id, group_id, user_id, invited_seq) VALUES ", ",",
                       "", [&](std::string& sql, const std::string& uid) {
                         sql += '(';
                         append_hex_literal(sql, work.user.app_id);
                         append_to(sql, ",{},", work.group_id);
                         append_hex_literal(sql, uid);
                         append_to(sql, ",{})", seq);
                       });
}

DbStatus store_outcome(MysqlConnection& connection, const GroupWork& work) {
  const CtrlOutcome& outcome = *work.answer;
  std::string sql = "INSERT INTO im_ctrl_outcome (app_id, group_id, msg_id, code, message, result) VALUES (";
  append_hex_literal(sql, work.user.app_id);
  append_to(sql, ",{},{},{},", work.group_id, outcome.msg_id, static_cast<int>(outcome.error.code));
  append_hex_literal(sql, std::string_view(outcome.error.message).substr(0, 512));
  sql += ',';
  append_hex_literal(sql, outcome.result);
  return connection.query(sql + ")");
}

}  // namespace

DbStatus load_group(MysqlConnection& connection, GroupWork& work) {
  const std::string key = group_condition(work.user.app_id, work.group_id);
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
    auto rows = read_group_above(connection, work.user.app_id, work.group_id, *work.rows_after, kMostFound);
    if (!rows) return std::unexpected(rows.error());
    work.rows.clear();
    // The next number met will be the next page's first.
    if (rows->size() == kMostFound) work.head = rows->back().row.message.group_seq;
    for (auto& found : *rows) work.rows.push_back(std::move(found.row));
  }
  work.invites.clear();
  auto invites = connection.query(
      "SELECT user_id, invited_seq FROM im_group_invite WHERE " + key, [&work](const TextRow& row) {
        work.invites.push_back({.uid = std::string(row.text(0)), .invited_seq = row.number(1)});
      });
  if (!invites) return invites;
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
  std::string where = group_condition(work.user.app_id, work.group_id) + " AND msg_id IN ";
  append_ids(where, work.ids);
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
  std::string sql = insert_row();
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
    std::string sql = insert_row();
    for (const GroupRow& row : work.rows) {
      if (&row != work.rows.data()) sql += ',';
      append_row(sql, work, row, nullptr);
    }
    if (auto done = connection.query(sql); !done) return done;
    const std::int64_t seq = work.rows.front().message.group_seq;
    if (auto done = store_left(connection, work, seq); !done) return done;
    if (auto done = store_joined(connection, work, seq); !done) return done;
    if (auto done = store_invites(connection, work, seq); !done) return done;
  }
  if (work.info) {
    if (auto done = store_info(connection, work); !done) return done;
  }
  if (work.answer) return store_outcome(connection, work);
  return {};
}

DbResult<bool> is_stored(MysqlConnection& connection, const GroupWork& work) {
  bool found = false;
  const std::string key = group_condition(work.user.app_id, work.group_id);
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

}  // namespace hongyan::logic
