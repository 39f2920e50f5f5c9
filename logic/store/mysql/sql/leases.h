// The statements about im_node, im_slot and im_beat with which a node takes and keeps its leases.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

struct NodeRow {
  bool found = false;
  std::uint64_t boot = 0;
  std::uint64_t epoch = 0;
};

// What acquiring found and took.
struct Acquisition {
  std::uint64_t epoch = 0;  // of this node, raised by us
  std::uint64_t barrier = 0;
  MsgId past = 0;  // ids must go past this: the old id_limit, marks, the largest ids stored
  std::vector<AcquiredSlot> slots;
  std::size_t held_by_others = 0;
};

struct Beat {
  NodeRow node;
  std::int64_t clock_ms = 0;  // of the server, since 1970
};

// One transaction: raises the node's epoch (waits for a predecessor's transactions), takes the slots that are
// free or were ours, reads what ids must go past.
[[nodiscard]] DbResult<Acquisition> acquire(MysqlConnection& connection, std::uint32_t node,
                                            std::uint64_t boot, std::span<const Slot> wanted);

// Writes im_beat if the node still has this boot and epoch; what it found otherwise.
[[nodiscard]] DbResult<Beat> write_beat(MysqlConnection& connection, std::uint32_t node, std::uint64_t boot,
                                        std::uint64_t epoch, MsgId id_limit);

}  // namespace hongyan::logic
