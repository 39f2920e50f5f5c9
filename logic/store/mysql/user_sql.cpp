#include "logic/store/mysql/user_sql.h"

#include <fmt/format.h>

#include <iterator>

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
    fmt::format_to(std::back_inserter(sql), ", {}, ", request.created_time);
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
  fmt::format_to(std::back_inserter(sql), ", {}, ", request.ban.until_ms);
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

}  // namespace hongyan::logic
