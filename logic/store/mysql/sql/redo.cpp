#include "logic/store/mysql/sql/redo.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "logic/store/mysql/sql/columns.h"

namespace hongyan::logic {

namespace {

template <typename Row>
struct Source;

template <>
struct Source<RedoRow> {
  static constexpr std::string_view kId = "msg_id";
  static std::string select() {
    return "SELECT app_id,slot,msg_from," + names_of(kOutboxColumns) + " FROM im_message_send ";
  }
  static RedoRow read(const TextRow& row) {
    RedoRow found{
        .app_id = std::string(row.text(0)), .slot = static_cast<Slot>(row.number(1)), .message = {}};
    found.message.from = row.text(2);
    read_message(row, 3, kOutboxColumns, found.message);
    return found;
  }
};

template <>
struct Source<GroupRedoRow> {
  static constexpr std::string_view kId = "placed_id";
  static std::string select() {
    return "SELECT app_id,slot,placed_id,group_id," + names_of(kGroupColumns) + " FROM im_group_message ";
  }
  static GroupRedoRow read(const TextRow& row) {
    GroupRedoRow found{
        .app_id = std::string(row.text(0)), .slot = static_cast<Slot>(row.number(1)), .row = {}};
    found.row.placed_id = row.number(2);
    found.row.message.group_id = row.number(3);
    read_message(row, 4, kGroupColumns, found.row.message);
    return found;
  }
};

template <typename Row>
DbResult<std::vector<Row>> read(MysqlConnection& connection, const std::string& rest) {
  std::vector<Row> rows;
  auto done = connection.query(Source<Row>::select() + rest,
                               [&rows](const TextRow& row) { rows.push_back(Source<Row>::read(row)); });
  if (!done) return std::unexpected(done.error());
  return rows;
}

template <typename Row>
DbResult<std::vector<Row>> read_by_ids(MysqlConnection& connection, Slot slot, std::span<const MsgId> ids) {
  std::vector<Row> rows;
  auto done = in_chunks(ids, kRowsOfAQuery, [&](std::span<const MsgId> some, std::size_t) -> DbStatus {
    std::string sql = fmt::format("FORCE INDEX (by_slot) WHERE slot = {} AND {} IN ", slot, Source<Row>::kId);
    append_ids(sql, some);
    auto found = read<Row>(connection, fmt::format("{} ORDER BY {}", sql, Source<Row>::kId));
    if (!found) return std::unexpected(found.error());
    std::ranges::move(*found, std::back_inserter(rows));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return rows;
}

template <typename Row>
DbResult<std::vector<Row>> read_above(MysqlConnection& connection, std::span<const SlotMark> marks,
                                      std::size_t limit) {
  return read<Row>(connection,
                   fmt::format("FORCE INDEX (by_slot) WHERE {} ORDER BY slot, {} LIMIT {}",
                               above_condition(Source<Row>::kId, marks), Source<Row>::kId, limit));
}

}  // namespace

DbResult<std::vector<RedoRow>> read_accepted(MysqlConnection& connection, Slot slot,
                                             std::span<const MsgId> ids) {
  auto rows = read_by_ids<RedoRow>(connection, slot, ids);
  if (rows) std::ranges::sort(*rows, {}, [](const RedoRow& row) { return row.message.id; });
  return rows;
}

DbResult<std::vector<GroupRedoRow>> read_placed(MysqlConnection& connection, Slot slot,
                                                std::span<const MsgId> ids) {
  auto rows = read_by_ids<GroupRedoRow>(connection, slot, ids);
  if (rows) std::ranges::sort(*rows, {}, [](const GroupRedoRow& row) { return row.row.placed_id; });
  return rows;
}

DbResult<std::vector<RedoRow>> read_accepted_above(MysqlConnection& connection,
                                                   std::span<const SlotMark> marks, std::size_t limit) {
  return read_above<RedoRow>(connection, marks, limit);
}

DbResult<std::vector<GroupRedoRow>> read_placed_above(MysqlConnection& connection,
                                                      std::span<const SlotMark> marks, std::size_t limit) {
  return read_above<GroupRedoRow>(connection, marks, limit);
}

DbResult<std::vector<GroupRedoRow>> read_group_above(MysqlConnection& connection, const std::string& app_id,
                                                     std::int64_t group_id, std::int64_t seq,
                                                     std::size_t limit) {
  return read<GroupRedoRow>(connection, fmt::format("WHERE {} AND group_seq > {} ORDER BY group_seq LIMIT {}",
                                                    group_condition(app_id, group_id), seq, limit));
}

DbResult<std::vector<PendingEntry>> read_pending(MysqlConnection& connection, std::span<const Slot> slots) {
  std::vector<PendingEntry> entries;
  auto done = connection.query(
      fmt::format("SELECT slot, destination, id FROM im_pending WHERE {} ORDER BY slot, destination, id",
                  slot_condition(slots)),
      [&](const TextRow& row) {
        entries.push_back({.slot = static_cast<Slot>(row.number(0)),
                           .destination = static_cast<Slot>(row.number(1)),
                           .id = row.number(2)});
      });
  if (!done) return std::unexpected(done.error());
  return entries;
}

}  // namespace hongyan::logic
