#include "logic/store/mysql/sql/users.h"

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

namespace {

void append_key(std::string& sql, const UserKey& user) {
  append_hex_literal(sql, user.app_id);
  sql += ", ";
  append_hex_literal(sql, user.uid);
}

std::string change_sql(const UserRequest& request) {
  std::string sql;
  if (request.kind == UserRequest::Kind::kRegister) {
    // Assignments run from left to right, so created_time comes last. Of a user that is registered already
    // no column changes, and the server says so.
    sql = "INSERT INTO im_user (app_id, user_id, created_time, password_hash) VALUES (";
    append_key(sql, request.user);
    append_to(sql, ", {}, ", request.created_time);
    if (request.password_hash) {
      append_hex_literal(sql, *request.password_hash);
    } else {
      sql += "NULL";
    }
    sql +=
        ") ON DUPLICATE KEY UPDATE password_hash = IF(created_time IS NULL, VALUES(password_hash), "
        "password_hash), created_time = IFNULL(created_time, VALUES(created_time))";
    return sql;
  }
  if (request.ban.until_ms == 0) {
    sql = "UPDATE im_user SET banned_until = 0, ban_reason = '' WHERE (app_id, user_id) = (";
    append_key(sql, request.user);
    return sql + ')';
  }
  sql = "INSERT INTO im_user (app_id, user_id, banned_until, ban_reason) VALUES (";
  append_key(sql, request.user);
  append_to(sql, ", {}, ", request.ban.until_ms);
  append_hex_literal(sql, request.ban.reason);
  sql += ") ON DUPLICATE KEY UPDATE banned_until = VALUES(banned_until), ban_reason = VALUES(ban_reason)";
  return sql;
}

}  // namespace

DbResult<StoredUser> read_user(MysqlConnection& connection, const UserKey& user) {
  std::string sql = "SELECT created_time, banned_until, ban_reason FROM im_user WHERE (app_id, user_id) = (";
  append_key(sql, user);
  sql += ')';
  StoredUser found;
  auto done = connection.query(sql, [&found](const TextRow& row) {
    found.created_time = row.number(0);
    found.ban = {.until_ms = row.number(1), .reason = std::string(row.text(2))};
  });
  if (!done) return std::unexpected(done.error());
  return found;
}

DbResult<StoredUser> change_user(MysqlConnection& connection, const UserRequest& request) {
  const auto changed = connection.execute(change_sql(request));
  if (!changed) return std::unexpected(changed.error());
  auto user = read_user(connection, request.user);
  if (user) user->created = request.kind == UserRequest::Kind::kRegister && *changed != 0;
  return user;
}

DbStatus load_cursors(MysqlConnection& connection, std::span<TailsWork* const> works) {
  const auto append = [](std::string& sql, const TailsWork& work) { append_user(sql, work.user); };
  auto cursors =
      by_table(connection, works,
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
  return by_table(
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

DbResult<std::vector<std::size_t>> count_memberships(MysqlConnection& connection,
                                                     std::span<const UserKey> users) {
  std::vector<const UserKey*> keys;
  keys.reserve(users.size());
  for (const UserKey& user : users) keys.push_back(&user);
  std::vector<std::size_t> counts(users.size());
  auto done =
      by_table(connection, std::span<const UserKey* const>(keys), "SELECT STRAIGHT_JOIN v.n, COUNT(*) FROM (",
               ") v JOIN im_user_group g FORCE INDEX (PRIMARY) ON g.app_id = v.a AND g.user_id = v.u "
               "WHERE g.left_seq = 0 GROUP BY v.n",
               append_user, [&counts](const TextRow& row) {
                 counts[static_cast<std::size_t>(row.number(0))] = static_cast<std::size_t>(row.number(1));
               });
  if (!done) return std::unexpected(done.error());
  return counts;
}

namespace {

DbStatus write_stays(MysqlConnection& connection, const std::vector<const InboxWork*>& rows) {
  // Assignments run from left to right, so the row's own changed_seq comes last.
  return by_statements(
      connection, std::span(rows),
      "INSERT INTO im_user_group (app_id, user_id, group_id, changed_seq, joined_seq, left_seq, "
      "large_from_seq) VALUES ",
      ",",
      " ON DUPLICATE KEY UPDATE left_seq = IF(VALUES(changed_seq) > changed_seq, VALUES(left_seq), "
      "left_seq), "
      "large_from_seq = IF(VALUES(changed_seq) > changed_seq, VALUES(large_from_seq), large_from_seq), "
      "changed_seq = GREATEST(changed_seq, VALUES(changed_seq))",
      [](std::string& sql, const InboxWork* row) {
        const Membership& membership = *row->membership;
        sql += '(';
        append_key(sql, row->user);
        append_to(sql, ",{},{},{},{},{})", membership.group_id, membership.changed_seq, membership.joined_seq,
                  membership.left_seq, membership.large_from_seq);
      });
}

DbStatus forget_stays(MysqlConnection& connection, const std::vector<const InboxWork*>& rows) {
  return by_statements(connection, std::span(rows), "DELETE FROM im_user_group WHERE ", " OR ", "",
                       [](std::string& sql, const InboxWork* row) {
                         sql += "(app_id = ";
                         append_hex_literal(sql, row->user.app_id);
                         sql += " AND user_id = ";
                         append_hex_literal(sql, row->user.uid);
                         append_to(sql, " AND group_id = {} AND joined_seq = {})", row->membership->group_id,
                                   row->membership->joined_seq);
                       });
}

}  // namespace

DbStatus write_memberships(MysqlConnection& connection, std::span<InboxWork* const> rows) {
  // One after the other, so that who left in the same batch is forgotten.
  std::vector<const InboxWork*> stays;
  std::vector<const InboxWork*> over;
  for (const InboxWork* row : rows) {
    if (row->membership) (row->membership->is_over() ? over : stays).push_back(row);
  }
  if (auto written = write_stays(connection, stays); !written) return written;
  return forget_stays(connection, over);
}

}  // namespace hongyan::logic
