// One writer of a shard: a thread with a connection that drains a queue of rows in batches.
#pragma once

#include <cstddef>
#include <thread>
#include <utility>

#include "logic/store/mysql/batch/tail_cache.h"
#include "logic/store/mysql/batch/writer_batch.h"
#include "logic/store/mysql/fence/fenced_connection.h"
#include "logic/store/mysql/sql/rows.h"
#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/mysql/state/work_queue.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

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
    WriteHooks hooks;
  };

  ShardWriter(Deps deps, std::size_t index);
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  void start();
  void stop(SteadyTime deadline);

  void submit(WriterWorkPtr work) { queue_.submit(std::move(work)); }

 private:
  void run();
  void process(TakenWorks<WriterWorkPtr> taken);
  void take(WriterBatch::Step step);
  void barrier();
  [[nodiscard]] DbStatus load_tails();
  [[nodiscard]] DbStatus look_up();
  [[nodiscard]] Written store();
  [[nodiscard]] Written park();
  // What became of the batch's rows.
  void tell(const Written& written, void (WriterBatch::*committed)());
  void fail(const DbError& error);
  // The batch has ended: what it says of the server.
  void judge_server();
  void pause();
  void wait_for_ids();

  const Deps deps_;
  const std::size_t index_;
  WorkQueue<WriterWorkPtr> queue_;

  // Writer thread only.
  TailCache tails_;
  WriterBatch batch_;
  RowInsert<OutboxWork> insert_outbox_;
  RowInsert<InboxWork> insert_inbox_;
  FencedConnection connection_;
  unsigned pauses_ = 0;

  std::thread thread_;
};

}  // namespace hongyan::logic
