#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

void append_user(std::string& sql, const UserKey& user) {
  append_hex_literal(sql, user.app_id);
  sql += " a,";
  append_hex_literal(sql, user.uid);
  sql += " u";
}

std::string group_condition(const std::string& app_id, std::int64_t group_id) {
  std::string sql = "app_id = ";
  append_hex_literal(sql, app_id);
  append_to(sql, " AND group_id = {}", group_id);
  return sql;
}

void append_ids(std::string& sql, std::span<const MsgId> ids) { append_to(sql, "({})", fmt::join(ids, ",")); }

std::string slot_condition(std::span<const Slot> slots) {
  std::string sql = "(";
  for (std::size_t i = 0; i < slots.size();) {
    std::size_t end = i + 1;
    while (end < slots.size() && slots[end] == slots[end - 1] + 1) ++end;
    append_to(sql, "{}slot BETWEEN {} AND {}", i == 0 ? "" : " OR ", slots[i], slots[end - 1]);
    i = end;
  }
  return slots.empty() ? "(FALSE)" : sql + ")";
}

std::string above_condition(std::string_view id, std::span<const SlotMark> marks) {
  std::string sql;
  for (const SlotMark& mark : marks) {
    append_to(sql, "{}(slot = {} AND {} > {})", sql.empty() ? "" : " OR ", mark.slot, id, mark.mark);
  }
  return sql;
}

}  // namespace hongyan::logic
