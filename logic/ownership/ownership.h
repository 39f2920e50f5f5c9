// Which slots of a shard this node should take, give up or free from the dead.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "common/base/clock.h"
#include "common/base/slot.h"
#include "logic/ownership/quotas.h"

namespace hongyan::logic {

// A node as its rows in im_node and im_beat show it.
struct NodeSeen {
  NodeNumber node = 0;
  std::uint64_t boot = 0;
  std::uint64_t epoch = 0;
  std::int64_t beat = 0;  // any value that changes with each beat
  bool ready = true;      // it can serve: gates or peers reach it, and it is not leaving
};

// A row of im_slot. owner 0: nobody.
struct LeaseSeen {
  Slot slot = 0;
  NodeNumber owner = 0;
};

// One reading of a shard, ascending by slot.
struct ShardSeen {
  std::vector<NodeSeen> nodes;
  std::vector<LeaseSeen> leases;
};

// To be done in this order. All of it is safe whatever became true meanwhile: each statement names what it
// was judged by.
struct OwnershipPlan {
  struct Dead {
    NodeNumber node = 0;
    std::uint64_t epoch = 0;  // as judged
    bool operator==(const Dead&) const = default;
  };
  std::vector<Dead> evict;
  std::vector<Slot> claim;
  std::vector<Slot> release;
  bool settled = true;  // nothing is out of place: no need to look again soon
};

// Whose the slots are to be.
enum class Leader : std::uint8_t {
  kNone,     // all nodes share them, see quotas_of
  kChoose,   // one node's: who has them, or the first of those who could
  kSelf,     // ours
  kOther,    // another's; this node takes none, and gives up what it has
  kUnknown,  // it is not known yet
};

// The judgement of one node about one shard. Membership is what the beats in this very shard say, seen with
// the observer's own monotonic clock: a node is alive while its beat changes, dead when it did not for
// dead_after and for dead_reads readings. A gap between two readings counts for no more than longest_gap: who
// stood still for long has to look again, and a server that is slow is no reason to wait for ever. A server's
// clock that is set moves nobody.
//
// Slots stay where they are as long as their owner lives and has no more than its quota; the others go to
// those that have less. A node that has just come, or was just taken for dead, gets none until it has beaten
// for a while: a path that flaps does not make slots bounce. A slot that stays free is claimed by
// anybody in the end, in case views differ.
//
// Pure: the clock is the caller's. One thread.
class Ownership {
 public:
  struct Options {
    NodeNumber self = 0;
    std::size_t shard = 0;
    std::vector<std::size_t> shard_sizes;  // slots of each shard of the cluster
    Milliseconds dead_after{3000};
    unsigned dead_reads = 3;
    Milliseconds join_after{5000};      // of beats, before a node that came is given slots of others
    Milliseconds rejoin_after{30'000};  // of beats, after it was taken for dead
    Milliseconds free_for{2000};        // a slot, before one whose turn it is not claims it
    Milliseconds free_for_each{500};    // and for each node that ranks before
    Milliseconds longest_gap{1000};     // between two readings, that counts as silence: more it slept itself
    std::size_t release_batch = 64;  // where slots are shared; else all go at once, to one who is to have all
    bool expects_others = false;     // a node that finds itself alone waits for dead_after, too
    Milliseconds release_every{100};
  };
  explicit Ownership(Options options) : options_(std::move(options)) {}

  // What is to be done now. leaving: this node gives everything up.
  [[nodiscard]] OwnershipPlan look(const ShardSeen& seen, Leader leader, bool leaving, SteadyTime now);

 private:
  struct Observed {
    NodeSeen last;
    SteadyTime good_since{};  // beats all the time since
    bool beaten = false;      // a beat was seen since then
    Milliseconds silence{0};  // since the beat changed, as far as the observer was awake
    Milliseconds wait{0};     // from good_since on, before it is given slots
    bool was_dead = false;    // somebody took it for dead in this life
    unsigned reads = 0;       // since the beat changed

    void observe(const NodeSeen& node, Milliseconds gap, SteadyTime now, const Options& options,
                 bool was_dead);
  };

  void observe(const ShardSeen& seen, SteadyTime now);
  [[nodiscard]] bool alive(NodeNumber node, SteadyTime now) const;
  [[nodiscard]] bool dead(NodeNumber node, SteadyTime now) const;
  // Those that are to own slots.
  // any_free: those that have just come are among them, as what is nobody's is taken from nobody.
  [[nodiscard]] std::vector<NodeNumber> members(bool leaving, bool any_free, SteadyTime now) const;
  using Counts = std::map<NodeNumber, std::size_t>;
  [[nodiscard]] std::vector<Quota> wanted(const ShardSeen& seen, const Counts& owned, Leader leader,
                                          bool leaving, SteadyTime now) const;
  void note_free(const ShardSeen& seen, SteadyTime now);
  // A slot whose turn it is not: it has been free for long.
  [[nodiscard]] bool is_left_over(Slot slot, std::size_t rank, Leader leader, SteadyTime now) const;

  const Options options_;
  std::map<NodeNumber, Observed> nodes_;
  std::vector<SteadyTime> free_since_ = std::vector<SteadyTime>(kSlotCount);  // {}: not free
  SteadyTime last_look_{};
  bool looked_ = false;
  SteadyTime first_look_{};
  SteadyTime next_release_{};
};

}  // namespace hongyan::logic
