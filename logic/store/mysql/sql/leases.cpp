#include "logic/store/mysql/sql/leases.h"

#include <fmt/format.h>

#include <algorithm>

#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

namespace {

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

}  // namespace hongyan::logic
