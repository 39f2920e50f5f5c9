// Pieces of statements.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "common/base/msg_id.h"
#include "common/base/slot.h"
#include "logic/store/box_works.h"
#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/sql/append.h"

namespace hongyan::logic {

// Keys and rows of one text statement: keeps it well below max_allowed_packet and quick to parse.
inline constexpr std::size_t kRowsOfAQuery = 128;

// A slot, and an id in it.
struct SlotMark {
  Slot slot = 0;
  MsgId mark = 0;
};

// x'..' a,x'..' u
void append_user(std::string& sql, const UserKey& user);
// "app_id = x'..' AND group_id = 5"
[[nodiscard]] std::string group_condition(const std::string& app_id, std::int64_t group_id);
// "(1,2,3)"
void append_ids(std::string& sql, std::span<const MsgId> ids);
// "(slot BETWEEN 0 AND 1023 OR slot BETWEEN 2000 AND 2000)"
[[nodiscard]] std::string slot_condition(std::span<const Slot> slots);
// "(slot = 0 AND id > 7) OR ...". Constant ranges: a join with im_slot would read the whole index of a slot,
// as its lower bound is not a constant.
[[nodiscard]] std::string above_condition(std::string_view id, std::span<const SlotMark> marks);

// f(some of the items, how many came before them) until all are done or one fails.
template <typename Item, typename F>
DbStatus in_chunks(std::span<Item> items, std::size_t most, const F& f) {
  for (std::size_t begin = 0; begin < items.size(); begin += most) {
    if (auto done = f(items.subspan(begin, std::min(most, items.size() - begin)), begin); !done) return done;
  }
  return {};
}

// head, the items with the separator between, tail: in as few statements as may be.
template <typename Item, typename Append>
DbStatus by_statements(MysqlConnection& connection, std::span<Item> items, std::string_view head,
                       std::string_view separator, std::string_view tail, const Append& append) {
  return in_chunks(items, 4 * kRowsOfAQuery, [&](std::span<Item> some, std::size_t) {
    std::string sql(head);
    for (Item& item : some) {
      if (&item != some.data()) sql += separator;
      append(sql, item);
    }
    sql += tail;
    return connection.query(sql);
  });
}

// head SELECT 0 n, <item> UNION ALL ... tail: a table of the items with their numbers. Portable, where MariaDB
// and MySQL differ on VALUES.
template <typename Item, typename Append>
DbStatus by_table(MysqlConnection& connection, std::span<Item* const> items, std::string_view head,
                  std::string_view tail, const Append& append, const MysqlConnection::OnRow& on_row) {
  return in_chunks(items, kRowsOfAQuery, [&](std::span<Item* const> some, std::size_t begin) {
    std::string sql(head);
    for (std::size_t i = 0; i < some.size(); ++i) {
      append_to(sql, "{}SELECT {} n,", i == 0 ? "" : " UNION ALL ", begin + i);
      append(sql, *some[i]);
    }
    sql += tail;
    return connection.query(sql, on_row);
  });
}

}  // namespace hongyan::logic
