// What the threads that write to a shard have in common: a queue, a connection, a life.
#pragma once

#include <string>
#include <thread>
#include <utility>

#include "common/base/backoff.h"
#include "logic/store/mysql/fence/fenced_connection.h"
#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/mysql/state/work_queue.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// What it takes outlives the thread.
struct WriterDeps {
  const ShardConfig& config;
  const ShardDeps& shard;
  ShardState& state;
  WriteHooks hooks;
};

// Drains its queue in batches: an idle one stores at once; batches form from what waits meanwhile.
//
// Any thread: submit. start() once, then stop() once, by the shard; stop() lets the queue drain until the
// deadline, refuses the rest, joins. Whoever derives stops in the destructor. While the shard is not served
// everything is refused at once.
template <typename WorkPtr>
class WriterThread {
 public:
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop(SteadyTime deadline) {
    queue_.stop(deadline);
    if (thread_.joinable()) thread_.join();
  }
  void submit(WorkPtr work) { queue_.submit(std::move(work)); }

 protected:
  // who: "writer 0", for logs.
  WriterThread(WriterDeps deps, std::string who)
      : deps_(std::move(deps)),
        queue_(deps_.config, deps_.state, *deps_.shard.sink),
        connection_(
            {.config = deps_.config, .node = deps_.shard.node, .state = deps_.state, .hooks = deps_.hooks},
            std::move(who)) {}
  ~WriterThread() = default;

  // On its thread. All of them go to the sink, finished.
  virtual void process(TakenWorks<WorkPtr> taken) = 0;

  // Before what failed is tried again, on its thread: sleeps, longer after each pause of the same work. False:
  // the deadline of stop() has passed.
  [[nodiscard]] bool pause(int pauses_before) {
    return queue_.pause(SteadyClock::now() + doubled(kFirstPause, kLongestPause, pauses_before));
  }

  const WriterDeps deps_;
  WorkQueue<WorkPtr> queue_;
  FencedConnection connection_;  // its thread only

 private:
  static constexpr Milliseconds kFirstPause{20};
  static constexpr Milliseconds kLongestPause{320};

  void run() {
    const MysqlThread mysql_thread;
    while (auto taken = queue_.take()) process(std::move(*taken));
    connection_.drop();
  }

  std::thread thread_;
};

}  // namespace hongyan::logic
