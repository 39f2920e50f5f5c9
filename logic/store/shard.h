// One MySQL shard as the pipeline sees it: ownership of its slots, a writer, a reader, and upkeep.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/msg_id.h"
#include "common/base/result.h"
#include "common/base/slot.h"
#include "logic/ownership/leadership.h"
#include "logic/store/box_works.h"
#include "logic/store/group_rows.h"
#include "logic/store/user_rows.h"

namespace hongyan::logic {

struct ShardConfig {
  std::string name;  // "0", "1", ...: for logs, metrics and health
  std::string host;  // "127.0.0.1", or empty with a socket
  std::uint16_t port = 3306;
  std::string socket;  // path of a Unix socket, instead of host and port
  std::string user;
  std::string password;
  std::string database;
  std::string slots;  // "0-1023" or "0-99,200-299"
  std::uint64_t map_version = 1;
  std::size_t writers = 1;  // connections and threads; a user's rows always go through the same one
  std::size_t readers = 1;
  std::size_t batch_rows = 512;
  std::size_t batch_bytes = 4 << 20;
  std::size_t queue_bytes = 64 << 20;  // of one writer
  Milliseconds connect_timeout{1000};
  Milliseconds read_timeout{2000};
};

// A lease on a slot, as just acquired.
struct AcquiredSlot {
  Slot slot = 0;
  std::uint64_t epoch = 0;
  MsgId mark = 0;
};

// A fan-out that has not ended: of a user's message (msg_id) or of a group's (placed_id).
struct PendingEntry {
  Slot slot = 0;  // source
  Slot destination = 0;
  MsgId id = 0;
  std::uint64_t slot_epoch = 0;  // of the source, when the pipeline made this
};

// What an owner finds unfinished, each by id.
struct Redo {
  std::vector<RedoRow> accepted;
  std::vector<GroupRedoRow> placed;
  std::vector<PendingEntry> pending;
};

// What the keeper of a shard tells the pipeline. All calls come on the shard's keeper thread and must not
// block.
class ShardObserver {
 public:
  virtual ~ShardObserver() = default;
  // The node holds these leases now, nobody else can write, and ids are past all that is stored. `redo` holds
  // what was accepted and is not known to be fanned out: im_pending and the rows above each mark, in the
  // order of ids; `pending` names those of its fan-outs that stand in im_pending.
  virtual void shard_acquired(std::size_t shard, std::vector<AcquiredSlot> slots, Redo redo) = 0;
  // The node does not hold these leases any more, or is about to give them up: what is under way under them will be
  // refused, if it is not stored already. What is in memory of these slots is to be forgotten.
  virtual void shard_lost(std::size_t shard, std::vector<Slot> slots) = 0;
  // The node may not serve these slots: its beat was not written for 2 s, or the connection is gone. Leases
  // still stand.
  virtual void shard_suspended(std::size_t shard, const std::string& reason) = 0;
  // The beat is back and epoch and leases are still ours.
  virtual void shard_resumed(std::size_t shard) = 0;
  // Another process runs under this node's number: this one must end.
  virtual void fenced_off(std::size_t shard, const std::string& reason) = 0;
};

// What upkeep writes, handed to the keeper by each slot thread: marks and im_pending once a second, cursors
// when they are due (logic/user/cursors.h).
struct MarkUpdate {
  Slot slot = 0;
  std::uint64_t epoch = 0;
  MsgId mark = 0;
};
struct CursorUpdate {
  UserKey user;
  DeviceCursor cursor;
};
// Written as one transaction: deletions from im_pending first, since what is removed may be added again, then
// insertions, marks and cursors. Marks and cursors never go back.
struct Upkeep {
  std::vector<PendingEntry> add_pending;
  std::vector<MarkUpdate> marks;
  std::vector<PendingEntry> remove_pending;
  std::vector<CursorUpdate> cursors;
  // On the keeper thread, once; must not block. True: all of it is committed.
  std::function<void(bool)> done;
};

// A shard. Threads of its own: one keeper, `writers` writer threads, `readers` reader threads; each has one
// connection.
//
// Life: construct; start() connects, checks (flush settings, schema, slot map, no Galera), raises the node's
// epoch, takes the free leases and those it held, and calls shard_acquired; leave() gives all leases up; stop()
// refuses new work, finishes what is queued within a deadline, gives up what is left, joins the threads. A shard that cannot be reached is tried again, with
// jittered back-off, for ever.
class Shard {
 public:
  virtual ~Shard() = default;

  virtual void start() = 0;
  virtual void stop() = 0;
  // Whether this node should have slots: one that should not gives up what others can take. Any thread.
  virtual void set_ready(bool ready) = 0;
  // Begins to give up all leases, for good; ShardObserver::shard_lost tells of it. Any thread.
  virtual void leave() = 0;

  // Any thread. The work comes back through the sink. Rows of one user keep their order.
  virtual void submit(WriterWorkPtr work) = 0;
  virtual void submit(GroupWorkPtr work) = 0;

  // Whether the leases hold now: the beat is fresh. For what is answered from memory. Any thread.
  [[nodiscard]] virtual bool serving() const noexcept = 0;
  // True while the last connection attempt or beat failed. Any thread.
  [[nodiscard]] virtual bool down() const noexcept = 0;
  // Why it does not do its work, or not all of it, in words for operators; "" when it does. Any thread.
  [[nodiscard]] virtual std::string trouble() const = 0;

  // Reads on a reader thread; `done` runs there and must not block (it posts). At most `limit` messages with
  // after < seq <= up_to, ascending, whose contents together stay within byte_budget (but at least one
  // message).
  using ReadDone = std::function<void(Result<std::vector<StoredMessage>>)>;
  virtual void read_inbox(UserKey user, std::int64_t after, std::int64_t up_to, std::size_t limit,
                          std::size_t byte_budget, ReadDone done) = 0;
  virtual void read_outbox(UserKey user, std::int64_t after, std::int64_t up_to, std::size_t limit,
                           std::size_t byte_budget, ReadDone done) = 0;
  // Contents of accepted messages again, for a lane that kept only their ids. Missing ids are left out.
  using RedoDone = std::function<void(Result<std::vector<RedoRow>>)>;
  virtual void read_accepted(Slot slot, std::vector<MsgId> ids, RedoDone done) = 0;
  // The same for messages of the slot's groups, by placed_id.
  using PlacedDone = std::function<void(Result<std::vector<GroupRedoRow>>)>;
  virtual void read_placed(Slot slot, std::vector<MsgId> ids, PlacedDone done) = 0;
  // Messages of a group, by group_seq, as read_inbox.
  virtual void read_group(std::string app_id, std::int64_t group_id, std::int64_t after, std::int64_t up_to,
                          std::size_t limit, std::size_t byte_budget, ReadDone done) = 0;

  // In how many groups each of the users is, in their order. asker: whose turn at the readers it takes.
  using CountsDone = std::function<void(Result<std::vector<std::size_t>>)>;
  virtual void count_memberships(UserKey asker, std::vector<UserKey> users, CountsDone done) = 0;

  // Reads or changes what is kept of a user, on a reader thread, where `done` runs too (it posts). Errors:
  // kUnavailable: nothing was changed; kDeadlineExceeded: perhaps.
  using UserDone = std::function<void(Result<StoredUser>)>;
  virtual void run_user_request(UserRequest request, UserDone done) = 0;

  // Any thread; done on the keeper thread. Refused (`done(false)`, perhaps from within) when much is queued
  // or the shard is not served.
  virtual void write_upkeep(Upkeep upkeep) = 0;

  // The shard's clock in ms since 1970 as known from the last beat. Any thread.
  [[nodiscard]] virtual std::int64_t clock_ms() const noexcept = 0;

  // The settings that decide durability, as read from the server at connect, for logs
  // ("innodb_flush_log_at_trx_commit=1 ...").
  [[nodiscard]] virtual std::string settings() const = 0;
};

// Gets finished work back, on the thread that did it, once a batch, in the order of commits; rows of one user
// in the order of submission. Must not block: it posts the work to the slot threads.
class WriterSink {
 public:
  virtual ~WriterSink() = default;
  virtual void completed(std::vector<WriterWorkPtr> batch) = 0;
  virtual void completed(std::vector<GroupWorkPtr> batch) = 0;
};

struct ShardDeps {
  std::uint32_t node = 0;       // this logic node's number
  std::uint64_t boot_id = 0;    // random, new at each start of the process
  MsgIdClock* clock = nullptr;  // outlives the shard
  WriterSink* sink = nullptr;
  ShardObserver* observer = nullptr;
  Leadership* leadership = nullptr;  // of this process, shared by its shards; outlives them
  // Slots of each shard of the cluster, whose nodes share them, without a leadership. Empty: one node has all.
  std::vector<std::size_t> shared_sizes = {};
};

// A shard in MariaDB or MySQL. Throws std::invalid_argument when the configuration is wrong.
[[nodiscard]] std::unique_ptr<Shard> make_mysql_shard(std::size_t index, ShardConfig config, ShardDeps deps);

// What a daemon must know before it starts serving: reaches the server once and checks flush settings, Galera
// or TiDB, schema version and slot map. An error with kFailedPrecondition is final (one clear line, exit
// status 1); kUnavailable means that the server could not be asked. Blocks; called by main at start.
[[nodiscard]] Status check_shard(const ShardConfig& config);

// "0-1023" or "0-99,200-299" to slots. Error: kBadRequest with the reason.
[[nodiscard]] Result<std::vector<Slot>> parse_slots(const std::string& text);

}  // namespace hongyan::logic
