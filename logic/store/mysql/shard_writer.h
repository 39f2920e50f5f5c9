// One writer of a shard: a thread with a connection that drains a queue of rows in batches.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "logic/store/mysql/connection.h"
#include "logic/store/mysql/server_trouble.h"
#include "logic/store/mysql/shard_state.h"
#include "logic/store/mysql/tail_cache.h"
#include "logic/store/mysql/work_queue.h"
#include "logic/store/mysql/writer_batch.h"
#include "logic/store/mysql/writer_sql.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Faults for tests; empty in production. Asked on the writer's thread before each transaction that stores
// rows.
using CommitFaultHook = std::function<CommitFault()>;

// Counters for metrics. Any thread.
struct WriterCounters {
  std::atomic<std::uint64_t> batches{0};  // transactions committed
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> parked{0};
};

// An idle writer commits at once; batches form from what waits meanwhile. WriterBatch decides, this class
// does.
//
// Any thread: submit. start() once, then stop() once, by the shard; stop() lets the queue drain
// until the deadline, refuses the rest, joins. While the shard is not served everything is refused at once.
// While a batch of unknown outcome waits for the server, queued work past its deadline is refused, ahead of
// that batch.
class ShardWriter {
 public:
  struct Deps {
    const ShardConfig& config;
    const ShardDeps& shard;
    ShardState& state;
    CommitFaultHook commit_fault;
  };

  ShardWriter(Deps deps, std::size_t index);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  void start();
  void stop(SteadyTime deadline);

  void submit(WriterWorkPtr work) { queue_.submit(std::move(work)); }
  [[nodiscard]] const WriterCounters& counters() const noexcept { return counters_; }

 private:
  void run();
  void process(std::vector<WriterWorkPtr> works);
  void connect();
  void barrier();
  void store();
  // The batch's rows. `commits`: the one statement is a transaction of its own. False: told the batch why
  // not.
  [[nodiscard]] bool insert(bool commits);
  void fence_lost();
  // A statement was refused: another epoch, or a barrier that was passed meanwhile.
  void refused_by_fence(std::uint64_t epoch);
  void park();
  [[nodiscard]] bool begin();  // false: told the batch why not
  void fail(const DbError& error, DbSent sent);
  // The batch has ended: what it says of the server.
  void judge_server();
  void pause();
  void wait_for_ids();

  const Deps deps_;
  const std::size_t index_;
  WriterCounters counters_;
  WorkQueue queue_;

  // Writer thread only.
  TailCache tails_;
  WriterBatch batch_;
  RowInsert<OutboxWork> insert_outbox_;
  RowInsert<InboxWork> insert_inbox_;
  std::unique_ptr<MysqlConnection> connection_;
  unsigned pauses_ = 0;
  ServerTrouble trouble_;

  std::thread thread_;
};

}  // namespace hongyan::logic
