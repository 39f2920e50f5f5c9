#include "logic/store/mysql/sql/parked.h"

#include "common/base/clock.h"
#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

DbStatus insert_parked(MysqlConnection& connection, std::span<const ParkedRow> rows) {
  std::string sql = "INSERT INTO im_parked (id, slot, parked_time, app_id, destination, reason) VALUES ";
  for (const ParkedRow& row : rows) {
    append_to(sql, "{}({},{},{},", &row == rows.data() ? "" : ",", row.id, row.slot, wall_ms());
    append_hex_literal(sql, row.app_id.substr(0, 64));
    sql += ',';
    append_hex_literal(sql, std::string_view(row.destination).substr(0, 128));
    sql += ',';
    append_hex_literal(sql, row.reason.substr(0, 512));
    sql += ')';
  }
  return connection.query(sql + " ON DUPLICATE KEY UPDATE reason = VALUES(reason)");
}

}  // namespace hongyan::logic
