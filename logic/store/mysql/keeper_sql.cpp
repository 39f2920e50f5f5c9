#include "logic/store/mysql/keeper_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "logic/store/slot_ranges.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kRowsOfAStatement = 512;

// "slot BETWEEN 0 AND 1023 OR slot = 2000"
std::string slot_condition(std::span<const Slot> slots) {
  std::string sql = "(";
  for (std::size_t i = 0; i < slots.size();) {
    std::size_t end = i + 1;
    while (end < slots.size() && slots[end] == slots[end - 1] + 1) ++end;
    fmt::format_to(std::back_inserter(sql), "{}slot BETWEEN {} AND {}", i == 0 ? "" : " OR ", slots[i],
                   slots[end - 1]);
    i = end;
  }
  return slots.empty() ? "(FALSE)" : sql + ")";
}

template <typename Entry, typename Append>
DbStatus by_statements(MysqlConnection& connection, std::span<const Entry> entries, std::string_view head,
                       std::string_view separator, std::string_view tail, const Append& append) {
  while (!entries.empty()) {
    const auto some = entries.first(std::min(kRowsOfAStatement, entries.size()));
    std::string sql(head);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (i != 0) sql += separator;
      append(sql, some[i]);
    }
    sql += tail;
    if (auto done = connection.query(sql); !done) return done;
    entries = entries.subspan(some.size());
  }
  return {};
}

DbStatus take_leases(MysqlConnection& connection, std::uint32_t node, std::uint64_t boot,
                     std::span<const Slot> wanted, Acquisition& taken) {
  const std::string ours = slot_condition(wanted);
  auto raised = connection.query(fmt::format("START TRANSACTION; "
                                             "INSERT INTO im_node (node, boot, epoch) VALUES ({0}, {1}, 1) "
                                             "ON DUPLICATE KEY UPDATE epoch = epoch + 1, boot = {1}; "
                                             "SELECT epoch, barrier FROM im_node WHERE node = {0}",
                                             node, boot),
                                 [&](const TextRow& row) {
                                   taken.epoch = row.unsigned_number(0);
                                   taken.barrier = row.unsigned_number(1);
                                 });
  if (!raised) return raised;
  auto leased = connection.query(fmt::format(
      "UPDATE im_slot SET owner = {0}, epoch = epoch + 1 WHERE (owner IS NULL OR owner = {0}) AND {1}", node,
      ours));
  if (!leased) return leased;
  return connection.query(
      fmt::format("SELECT slot, epoch, mark, owner FROM im_slot WHERE {} ORDER BY slot", ours),
      [&](const TextRow& row) {
        if (row.number(3) != node || row.is_null(3)) {
          ++taken.held_by_others;
          return;
        }
        taken.slots.push_back({.slot = static_cast<Slot>(row.number(0)),
                               .epoch = row.unsigned_number(1),
                               .mark = row.number(2)});
        taken.past = std::max(taken.past, row.number(2));
      });
}

// Each SELECT has one row and reads one row of an index, or one a slot.
DbStatus read_largest_ids(MysqlConnection& connection, std::uint32_t node, Acquisition& taken) {
  return connection.query(
      fmt::format(
          "SELECT id_limit FROM im_beat WHERE node = {0}; "
          "SELECT MAX(newest) FROM (SELECT (SELECT m.msg_id FROM im_message_send m FORCE INDEX (by_slot) "
          "WHERE m.slot = s.slot ORDER BY m.slot DESC, m.msg_id DESC LIMIT 1) AS newest "
          "FROM im_slot s WHERE s.owner = {0}) AS by_slots; "
          "SELECT MAX(newest) FROM (SELECT (SELECT g.placed_id FROM im_group_message g FORCE INDEX (by_slot) "
          "WHERE g.slot = s.slot ORDER BY g.slot DESC, g.placed_id DESC LIMIT 1) AS newest "
          "FROM im_slot s WHERE s.owner = {0}) AS by_slots; "
          "SELECT MAX(p.id) FROM im_pending p",
          node),
      [&](const TextRow& row) { taken.past = std::max(taken.past, row.number(0)); });
}

}  // namespace

DbResult<Acquisition> acquire(MysqlConnection& connection, std::uint32_t node, std::uint64_t boot,
                              std::span<const Slot> wanted) {
  Acquisition taken;
  if (auto leased = take_leases(connection, node, boot, wanted, taken); !leased)
    return std::unexpected(leased.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  // Only now: while the epoch was being raised, a predecessor's last transactions could still commit.
  if (auto read = read_largest_ids(connection, node, taken); !read) return std::unexpected(read.error());
  return taken;
}

DbResult<Beat> write_beat(MysqlConnection& connection, std::uint32_t node, std::uint64_t boot,
                          std::uint64_t epoch, MsgId id_limit) {
  Beat beat;
  auto begun = connection.query(
      fmt::format("START TRANSACTION; SELECT boot, epoch, FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000) FROM im_node "
                  "WHERE node = {} LOCK IN SHARE MODE",
                  node),
      [&](const TextRow& row) {
        beat.node = {.found = true, .boot = row.unsigned_number(0), .epoch = row.unsigned_number(1)};
        beat.clock_ms = row.number(2);
      });
  if (!begun) return std::unexpected(begun.error());
  if (!beat.node.found || beat.node.boot != boot || beat.node.epoch != epoch) {
    if (auto back = connection.rollback(); !back) return std::unexpected(back.error());
    return beat;
  }
  auto written = connection.query(fmt::format(
      "INSERT INTO im_beat (node, boot, beat_time, id_limit) VALUES ({}, {}, {}, {}) ON DUPLICATE KEY UPDATE "
      "boot = VALUES(boot), beat_time = VALUES(beat_time), id_limit = GREATEST(id_limit, VALUES(id_limit)); "
      "COMMIT",
      node, boot, beat.clock_ms, id_limit));
  if (!written) return std::unexpected(written.error());
  return beat;
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

DbStatus write_upkeep(MysqlConnection& connection, std::uint32_t node, const Upkeep& upkeep) {
  // First: what is removed may be added again, for another receiver of the same slot.
  auto removed =
      by_statements(connection, std::span(upkeep.remove_pending), "DELETE FROM im_pending WHERE ", " OR ", "",
                    [](std::string& sql, const PendingEntry& entry) {
                      fmt::format_to(std::back_inserter(sql), "(slot = {} AND destination = {} AND id = {})",
                                     entry.slot, entry.destination, entry.id);
                    });
  if (!removed) return removed;
  auto added = by_statements(connection, std::span(upkeep.add_pending),
                             "INSERT IGNORE INTO im_pending (slot, destination, id) VALUES ", ",", "",
                             [](std::string& sql, const PendingEntry& entry) {
                               fmt::format_to(std::back_inserter(sql), "({},{},{})", entry.slot,
                                              entry.destination, entry.id);
                             });
  if (!added) return added;
  auto marked = by_statements(
      connection, std::span(upkeep.marks), "INSERT INTO im_slot (slot, owner, epoch, mark) VALUES ", ",",
      " ON DUPLICATE KEY UPDATE mark = IF(owner = VALUES(owner) AND epoch = VALUES(epoch) AND mark < "
      "VALUES(mark), "
      "VALUES(mark), mark)",
      [node](std::string& sql, const MarkUpdate& entry) {
        fmt::format_to(std::back_inserter(sql), "({},{},{},{})", entry.slot, node, entry.epoch, entry.mark);
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
        fmt::format_to(std::back_inserter(sql), ",{},{},{},{})", static_cast<int>(entry.cursor.device_class),
                       static_cast<int>(entry.cursor.kind), entry.cursor.group_id, entry.cursor.seq);
      });
}

}  // namespace hongyan::logic
