// What the keeper of a shard does about whose the slots are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "logic/ownership/ownership.h"
#include "logic/store/mysql/fence/fenced_connection.h"
#include "logic/store/mysql/sql/beats.h"
#include "logic/store/mysql/sql/leases.h"
#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Of all nodes one leads and the others stand by (decision 0020): it has the slots of all shards; or all share them
// (decision 0024), and who lives keeps what it has. Ownership
// judges what is seen, Leadership holds the shards of a process together, and this carries it out. Keeper
// thread only; what the constructor takes outlives it.
//
// Errors are those of the connection: whatever was under way then is found out by the next look().
class ShardLeases {
 public:
  // slots: of the shard. beat: writes one if it is due; called between statements of something long.
  ShardLeases(std::size_t index, const ShardConfig& config, const ShardDeps& deps,
              const std::vector<Slot>& slots, ShardState& state, FencedConnection& connection,
              std::function<DbStatus()> beat);

  // Each new connection, before begin(): whether it holds the lock of the node's number.
  [[nodiscard]] DbStatus connected(MysqlConnection& connection);

  enum class Number : std::uint8_t {
    kOurs,
    kUnclear,  // ask again soon
    kTaken,    // another process of this number lives
  };
  // Whether this process may begin a life under the node's number.
  [[nodiscard]] DbResult<Number> ask_for_number();
  // False: not yet, the first shard decides whose the slots are.
  [[nodiscard]] bool may_begin(SteadyTime now);

  // Raises the epoch: the new one.
  [[nodiscard]] DbResult<std::uint64_t> begin();
  // After begin() and a first beat: serves the slots of the node's life before.
  [[nodiscard]] DbStatus resume();
  // Reads the shard, and does what is to be done.
  [[nodiscard]] DbStatus look();
  // Whether this node should have slots, for all who read the shard: one that should not gives up what others can take.
  // leaving: all of it, and takes none.
  [[nodiscard]] DbStatus want(bool ready, bool leaving);
  // Another node has taken all.
  void lose_all();

  [[nodiscard]] bool holds_any() const;
  // Nothing is out of place: the next beat is soon enough for a look.
  [[nodiscard]] bool settled() const noexcept { return settled_ && seen_role_ == role(); }

 private:
  [[nodiscard]] Leadership::Role role() const noexcept;
  [[nodiscard]] FenceKey key() const;
  [[nodiscard]] DbStatus check_size(const ShardSeen& seen) const;
  [[nodiscard]] DbStatus serve(std::vector<AcquiredSlot> slots);
  void note_role(const ShardSeen& seen);
  [[nodiscard]] Leader leader() const;
  [[nodiscard]] DbStatus carry_out(const OwnershipPlan& plan);
  // What was sent under a barrier that was passed is refused: the next is sent under the present one.
  [[nodiscard]] DbStatus follow_barrier();
  // Nothing is stored or answered under these leases any more; what is in memory of them is forgotten.
  void unload(const std::vector<Slot>& held);
  // They go to whoever is to have them.
  [[nodiscard]] DbStatus give_back(const std::vector<Slot>& slots);
  [[nodiscard]] DbStatus release_all(const std::vector<Slot>& slots);

  const std::size_t index_;
  const ShardConfig& config_;
  const ShardDeps& deps_;
  const std::size_t shard_slots_;
  const bool shares_;
  const bool first_;  // whatever the order of the configuration: it has slot 0
  ShardState& state_;
  FencedConnection& connection_;
  const std::function<DbStatus()> beat_;
  const SteadyTime started_ = SteadyClock::now();

  Ownership ownership_;
  bool number_locked_ = false;
  bool begun_ = false;
  std::optional<LastBeat> predecessor_;  // as first seen
  SteadyTime predecessor_since_{};
  std::vector<AcquiredSlot> kept_;  // of the life before, not yet served
  bool ready_ = true;               // as written
  bool leaving_ = false;
  bool settled_ = false;
  Leadership::Role seen_role_ = Leadership::Role::kUnknown;  // at the last look
};

}  // namespace hongyan::logic
