#include "logic/store/mysql/sql/leases.h"

#include <fmt/format.h>

#include <algorithm>

#include "logic/store/mysql/sql/text.h"

namespace hongyan::logic {

namespace {

DbResult<Handed> overtaken(MysqlConnection& connection) {
  if (auto back = connection.rollback(); !back) return std::unexpected(back.error());
  return Handed::kOvertaken;
}

// Each SELECT reads one row of an index for each slot.
DbStatus read_largest_ids(MysqlConnection& connection, std::span<const Slot> slots, MsgId& past) {
  const std::string condition = slot_condition(slots);
  return connection.query(
      fmt::format(
          "SELECT MAX(newest) FROM (SELECT (SELECT m.msg_id FROM im_message_send m FORCE INDEX (by_slot) "
          "WHERE m.slot = s.slot ORDER BY m.slot DESC, m.msg_id DESC LIMIT 1) AS newest "
          "FROM im_slot s WHERE {0}) AS by_slots; "
          "SELECT MAX(newest) FROM (SELECT (SELECT g.placed_id FROM im_group_message g FORCE INDEX "
          "(by_slot) WHERE g.slot = s.slot ORDER BY g.slot DESC, g.placed_id DESC LIMIT 1) AS newest "
          "FROM im_slot s WHERE {0}) AS by_slots; "
          "SELECT MAX(id) FROM im_pending WHERE {0}",
          condition),
      [&past](const TextRow& row) { past = std::max(past, row.number(0)); });
}

}  // namespace

DbResult<Started> start_node(MysqlConnection& connection, NodeNumber node, std::uint64_t boot) {
  Started started;
  auto raised = connection.query(
      fmt::format("START TRANSACTION; INSERT INTO im_node (node, boot, epoch) VALUES ({0}, {1}, 1) "
                  "ON DUPLICATE KEY UPDATE epoch = epoch + 1, boot = {1}; "
                  "SELECT epoch, barrier FROM im_node WHERE node = {0}",
                  node, boot),
      [&](const TextRow& row) {
        started.epoch = row.unsigned_number(0);
        started.barrier = row.unsigned_number(1);
      });
  if (!raised) return std::unexpected(raised.error());
  std::vector<Slot> kept;
  auto leased =
      connection.query(fmt::format("UPDATE im_slot SET epoch = epoch + 1 WHERE owner = {0}; "
                                   "SELECT slot, epoch, mark FROM im_slot WHERE owner = {0} ORDER BY slot",
                                   node),
                       [&](const TextRow& row) {
                         kept.push_back(static_cast<Slot>(row.number(0)));
                         started.slots.push_back(
                             {.slot = kept.back(), .epoch = row.unsigned_number(1), .mark = row.number(2)});
                         started.past = std::max(started.past, row.number(2));
                       });
  if (!leased) return std::unexpected(leased.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  // Only now: while the epoch was being raised, a predecessor's last transactions could still commit.
  auto limit =
      connection.query(fmt::format("SELECT id_limit FROM im_beat WHERE node = {}", node),
                       [&](const TextRow& row) { started.past = std::max(started.past, row.number(0)); });
  if (!limit) return std::unexpected(limit.error());
  if (auto read = read_largest_ids(connection, kept, started.past); !read)
    return std::unexpected(read.error());
  return started;
}

DbResult<Handed> release(MysqlConnection& connection, const FenceKey& key, std::span<const Slot> slots) {
  if (auto begun = connection.query("START TRANSACTION"); !begun) return std::unexpected(begun.error());
  // Waits for the node's own writers.
  auto raised = connection.execute(
      fmt::format("UPDATE im_node SET barrier = barrier + 1 WHERE node = {} AND epoch = {} AND barrier = {}",
                  key.node, key.epoch, key.barrier));
  if (!raised) return std::unexpected(raised.error());
  if (*raised != 1) return overtaken(connection);
  auto freed = connection.query(fmt::format("UPDATE im_slot SET owner = NULL WHERE owner = {} AND {}",
                                            key.node, slot_condition(slots)));
  if (!freed) return std::unexpected(freed.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  return Handed::kDone;
}

DbResult<Handed> evict(MysqlConnection& connection, const FenceKey& key, NodeNumber dead,
                       std::uint64_t epoch) {
  auto begun = begin_fenced(connection, key);
  if (!begun) return std::unexpected(begun.error());
  if (*begun != Fence::kHolds) return overtaken(connection);
  auto raised = connection.execute(
      fmt::format("UPDATE im_node SET epoch = epoch + 1 WHERE node = {} AND epoch = {}", dead, epoch));
  if (!raised) return std::unexpected(raised.error());
  if (*raised != 1 && epoch != 0) return overtaken(connection);
  // Epoch 0: a node without a row, under which nothing can be committed.
  auto freed = connection.query(fmt::format(
      "UPDATE im_slot SET owner = NULL WHERE owner = {0}{1}", dead,
      epoch != 0 ? "" : fmt::format(" AND NOT EXISTS (SELECT 1 FROM im_node WHERE node = {})", dead)));
  if (!freed) return std::unexpected(freed.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  return Handed::kDone;
}

DbResult<Claimed> claim(MysqlConnection& connection, const FenceKey& key, std::span<const Slot> slots) {
  Claimed claimed;
  auto begun = begin_fenced(connection, key);
  if (!begun) return std::unexpected(begun.error());
  if (*begun != Fence::kHolds) {
    auto back = overtaken(connection);
    if (!back) return std::unexpected(back.error());
    claimed.handed = *back;
    return claimed;
  }
  std::vector<Slot> taken;
  auto free = connection.query(
      fmt::format("SELECT slot, epoch, mark FROM im_slot "
                  "WHERE owner IS NULL AND {} ORDER BY slot FOR UPDATE",
                  slot_condition(slots)),
      [&](const TextRow& row) {
        taken.push_back(static_cast<Slot>(row.number(0)));
        claimed.slots.push_back(
            {.slot = taken.back(), .epoch = row.unsigned_number(1) + 1, .mark = row.number(2)});
        claimed.past = std::max(claimed.past, row.number(2));
      });
  if (!free) return std::unexpected(free.error());
  auto owned = connection.query(fmt::format("UPDATE im_slot SET owner = {}, epoch = epoch + 1 WHERE {}",
                                            key.node, slot_condition(taken)));
  if (!owned) return std::unexpected(owned.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  // Only now: until it was free its last owner could commit.
  if (auto read = read_largest_ids(connection, taken, claimed.past); !read)
    return std::unexpected(read.error());
  return claimed;
}

}  // namespace hongyan::logic
