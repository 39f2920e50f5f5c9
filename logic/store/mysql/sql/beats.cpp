#include "logic/store/mysql/sql/beats.h"

#include <fmt/format.h>

namespace hongyan::logic {

DbResult<Beat> write_beat(MysqlConnection& connection, NodeNumber node, std::uint64_t boot,
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

DbResult<ShardSeen> read_shard(MysqlConnection& connection) {
  ShardSeen seen;
  auto nodes = connection.query(
      "SELECT n.node, n.boot, n.epoch, b.beat_time, s.node IS NULL FROM im_node n "
      "LEFT JOIN im_beat b ON b.node = n.node AND b.boot = n.boot "
      "LEFT JOIN im_standby s ON s.node = n.node AND s.boot = n.boot",
      [&seen](const TextRow& row) {
        seen.nodes.push_back({.node = static_cast<NodeNumber>(row.number(0)),
                              .boot = row.unsigned_number(1),
                              .epoch = row.unsigned_number(2),
                              .beat = row.number(3),
                              .ready = row.number(4) != 0});
      });
  if (!nodes) return std::unexpected(nodes.error());
  auto leases =
      connection.query("SELECT slot, owner FROM im_slot ORDER BY slot", [&seen](const TextRow& row) {
        seen.leases.push_back(
            {.slot = static_cast<Slot>(row.number(0)), .owner = static_cast<NodeNumber>(row.number(1))});
      });
  if (!leases) return std::unexpected(leases.error());
  return seen;
}

DbStatus set_ready(MysqlConnection& connection, NodeNumber node, std::uint64_t boot, bool ready) {
  return connection.query(
      ready ? fmt::format("DELETE FROM im_standby WHERE node = {}", node)
            : fmt::format(
                  "INSERT INTO im_standby (node, boot) VALUES ({0}, {1}) ON DUPLICATE KEY UPDATE boot = {1}",
                  node, boot));
}

DbResult<bool> lock_number(MysqlConnection& connection, const std::string& database, NodeNumber node) {
  std::string sql = "SELECT GET_LOCK(";
  append_hex_literal(sql, fmt::format("hongyan.{}.{}", node, database).substr(0, 64));
  sql += ", 0)";
  bool ours = false;
  auto done = connection.query(sql, [&ours](const TextRow& row) { ours = row.number(0) == 1; });
  if (!done) return std::unexpected(done.error());
  return ours;
}

DbResult<LastBeat> read_beat(MysqlConnection& connection, NodeNumber node) {
  LastBeat last;
  auto done = connection.query(
      fmt::format("SELECT boot, beat_time FROM im_beat WHERE node = {}", node),
      [&last](const TextRow& row) { last = {.boot = row.unsigned_number(0), .time = row.number(1)}; });
  if (!done) return std::unexpected(done.error());
  return last;
}

}  // namespace hongyan::logic
