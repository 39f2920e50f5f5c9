#include "logic/store/mysql/sql/fence.h"

#include "logic/store/mysql/sql/append.h"

namespace hongyan::logic {

namespace {
constexpr unsigned kNullValue = 1048;
}

bool refused_by_fence(const DbError& error) noexcept { return error.code == kNullValue; }

DbResult<Fence> begin_fenced(MysqlConnection& connection, const FenceKey& key) {
  std::string sql;
  append_to(sql, "START TRANSACTION; SELECT epoch, barrier FROM im_node WHERE node = {} LOCK IN SHARE MODE",
            key.node);
  bool holds = false;
  auto done = connection.query(sql, [&](const TextRow& row) {
    holds = key.epoch != 0 && row.unsigned_number(0) == key.epoch && row.unsigned_number(1) == key.barrier;
  });
  if (!done) return std::unexpected(done.error());
  return holds ? Fence::kHolds : Fence::kRefused;
}

DbResult<std::shared_ptr<Tenure>> read_tenure(MysqlConnection& connection, std::uint32_t node,
                                              std::uint64_t epoch) {
  std::shared_ptr<Tenure> tenure;
  // One statement, so that barrier and leases are of one moment.
  auto done = connection.query(
      fmt::format("SELECT n.barrier, s.slot, s.epoch FROM im_node n LEFT JOIN im_slot s ON s.owner = n.node "
                  "WHERE n.node = {} AND n.epoch = {}",
                  node, epoch),
      [&](const TextRow& row) {
        if (!tenure) tenure = std::make_shared<Tenure>();
        tenure->epoch = epoch;
        tenure->barrier = row.unsigned_number(0);
        if (!row.is_null(1)) tenure->slot_epochs.at(row.unsigned_number(1)) = row.unsigned_number(2);
      });
  if (!done) return std::unexpected(done.error());
  return tenure;
}

DbResult<bool> pass_barrier(MysqlConnection& connection, std::uint32_t node, std::uint64_t epoch) {
  auto changed = connection.execute(
      fmt::format("UPDATE im_node SET barrier = barrier + 1 WHERE node = {} AND epoch = {}", node, epoch));
  if (!changed) return std::unexpected(changed.error());
  return *changed == 1;
}

}  // namespace hongyan::logic
