// One writer of a shard: outbox and inbox rows.
#pragma once

#include <cstddef>

#include "logic/store/mysql/batch/tail_cache.h"
#include "logic/store/mysql/batch/writer_batch.h"
#include "logic/store/mysql/sql/boxes.h"
#include "logic/store/mysql/threads/writer_thread.h"

namespace hongyan::logic {

// WriterBatch decides, this class does. While a batch of unknown outcome waits for the server, queued work past
// its deadline is refused, ahead of that batch.
class ShardWriter final : public WriterThread<WriterWorkPtr> {
 public:
  ShardWriter(WriterDeps deps, std::size_t index);
  ~ShardWriter() { stop(SteadyClock::now()); }

 private:
  void process(TakenWorks<WriterWorkPtr> taken) override;
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
  void wait();
  void wait_for_ids();

  const std::size_t index_;
  TailCache tails_;
  WriterBatch batch_;
  RowInsert<OutboxWork> insert_outbox_;
  RowInsert<InboxWork> insert_inbox_;
  int pauses_ = 0;
};

}  // namespace hongyan::logic
