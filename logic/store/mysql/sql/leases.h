// The statements by which a node begins in a shard, and by which slots change hands: release, evict, claim. Each
// of these is judged by what was read before and names it, so that one that is read late, or was overtaken,
// changes nothing.
//
// Why no row of a slot is ever committed by another than its owner: a writer holds a share lock on its node's
// row, with the epoch and barrier it was told, from before its first row to its commit. Who leaves a slot
// raises the barrier, who evicts the dead raises their epoch, in the transaction that frees the slot; so all
// writers' transactions are over before a slot is free, later ones are refused, and who claims it sees the
// rows of those before.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "logic/ownership/quotas.h"
#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/sql/fence.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// A node's life as it begins in this shard.
struct Started {
  std::uint64_t epoch = 0;  // raised by us
  std::uint64_t barrier = 0;
  MsgId past = 0;                   // ids must go past this: the old id_limit, and as of Claimed
  std::vector<AcquiredSlot> slots;  // that were the node's in its life before, under new slot epochs
};

// Raises the node's epoch (waits for a predecessor's transactions, and shuts out what they send later).
[[nodiscard]] DbResult<Started> start_node(MysqlConnection& connection, NodeNumber node, std::uint64_t boot);

enum class Handed : std::uint8_t {
  kDone,
  kOvertaken,  // nothing was changed: it was judged by what is no more
};

// These slots are nobody's from now on, those of them that are the node's. key: the node's own, as it stands in
// its row. On kDone its barrier is key.barrier + 1.
[[nodiscard]] DbResult<Handed> release(MysqlConnection& connection, const FenceKey& key,
                                       std::span<const Slot> slots);

// All slots of a node that does not beat are nobody's from now on. key: our own. epoch: the dead node's, as it
// was when it was found dead.
[[nodiscard]] DbResult<Handed> evict(MysqlConnection& connection, const FenceKey& key, NodeNumber dead,
                                     std::uint64_t epoch);

struct Claimed {
  Handed handed = Handed::kDone;
  std::vector<AcquiredSlot> slots;  // those that were free: fewer than wanted, when another was faster
  MsgId past = 0;                   // ids of these slots must go past this
};

// Takes those of the slots that are nobody's. key: our own.
[[nodiscard]] DbResult<Claimed> claim(MysqlConnection& connection, const FenceKey& key,
                                      std::span<const Slot> slots);

}  // namespace hongyan::logic
