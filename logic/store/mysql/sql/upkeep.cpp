#include "logic/store/mysql/sql/upkeep.h"

#include <fmt/format.h>

#include <iterator>
#include <span>
#include <string>

#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

DbStatus write_upkeep(MysqlConnection& connection, std::uint32_t node, const Upkeep& upkeep) {
  // First: what is removed may be added again, for another receiver of the same slot.
  auto removed = by_statements(connection, std::span(upkeep.remove_pending), "DELETE FROM im_pending WHERE ",
                               " OR ", "", [](std::string& sql, const PendingEntry& entry) {
                                 append_to(sql, "(slot = {} AND destination = {} AND id = {})", entry.slot,
                                           entry.destination, entry.id);
                               });
  if (!removed) return removed;
  auto added = by_statements(connection, std::span(upkeep.add_pending),
                             "INSERT IGNORE INTO im_pending (slot, destination, id) VALUES ", ",", "",
                             [](std::string& sql, const PendingEntry& entry) {
                               append_to(sql, "({},{},{})", entry.slot, entry.destination, entry.id);
                             });
  if (!added) return added;
  auto marked = by_statements(
      connection, std::span(upkeep.marks), "INSERT INTO im_slot (slot, owner, epoch, mark) VALUES ", ",",
      " ON DUPLICATE KEY UPDATE mark = IF(owner = VALUES(owner) AND epoch = VALUES(epoch) AND mark < "
      "VALUES(mark), "
      "VALUES(mark), mark)",
      [node](std::string& sql, const MarkUpdate& entry) {
        append_to(sql, "({},{},{},{})", entry.slot, node, entry.epoch, entry.mark);
      });
  if (!marked) return marked;
  return by_statements(
      connection, std::span(upkeep.cursors),
      "INSERT INTO im_user_cursor (app_id, user_id, device_class, kind, group_id, acked_seq) VALUES ", ",",
      " ON DUPLICATE KEY UPDATE acked_seq = GREATEST(acked_seq, VALUES(acked_seq))",
      [](std::string& sql, const CursorUpdate& entry) {
        sql += '(';
        append_hex_literal(sql, entry.user.app_id);
        sql += ',';
        append_hex_literal(sql, entry.user.uid);
        append_to(sql, ",{},{},{},{})", static_cast<int>(entry.cursor.device_class),
                  static_cast<int>(entry.cursor.kind), entry.cursor.group_id, entry.cursor.seq);
      });
}

}  // namespace hongyan::logic
