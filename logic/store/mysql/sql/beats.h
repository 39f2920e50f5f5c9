// Signs of life in a shard, our own and those of the other nodes: im_beat, im_standby, and what they are judged
// with.
#pragma once

#include <cstdint>
#include <string>

#include "logic/ownership/ownership.h"
#include "logic/store/mysql/connection/connection.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

struct NodeRow {
  bool found = false;
  std::uint64_t boot = 0;
  std::uint64_t epoch = 0;
};

struct Beat {
  NodeRow node;
  std::int64_t clock_ms = 0;  // of the server, since 1970
};

// Writes im_beat if the node still has this boot and epoch; what it found otherwise.
[[nodiscard]] DbResult<Beat> write_beat(MysqlConnection& connection, NodeNumber node, std::uint64_t boot,
                                        std::uint64_t epoch, MsgId id_limit);

// All nodes that ever were in this shard, and all its leases, ascending by slot.
[[nodiscard]] DbResult<ShardSeen> read_shard(MysqlConnection& connection);

// Whether the node should own slots, for all who read the shard.
[[nodiscard]] DbStatus set_ready(MysqlConnection& connection, NodeNumber node, std::uint64_t boot,
                                 bool ready);

// A lock of the server that lives as long as this connection, one for each database and number: who has it
// knows that no other process of that number has a connection. False: another has it.
[[nodiscard]] DbResult<bool> lock_number(MysqlConnection& connection, const std::string& database,
                                         NodeNumber node);

struct LastBeat {
  std::uint64_t boot = 0;  // 0: none
  std::int64_t time = 0;
  bool operator==(const LastBeat&) const = default;
};
[[nodiscard]] DbResult<LastBeat> read_beat(MysqlConnection& connection, NodeNumber node);

}  // namespace hongyan::logic
