// What waits for a thread that writes to a shard.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "logic/store/box_works.h"
#include "logic/store/mysql/state/shard_state.h"
#include "logic/store/mysql/state/tenure.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// Works that are done together, and the tenure they are done under.
template <typename WorkPtr>
struct TakenWorks {
  TenurePtr tenure;
  std::vector<WorkPtr> works;
};

// The work was not and will not be stored; it may be tried again soon.
void refuse(StoreWork& work, const char* why);
// The same: its slot is another node's.
void refuse_slot_lost(StoreWork& work);

// A queue bounded in bytes between any threads and one writer. What is refused on its way passes through the
// queue like the rest, so that one user's works come back in the order of submission.
//
// WorkPtr: WriterWorkPtr or GroupWorkPtr.
//
// Any thread: submit, stop. The writer's thread: the rest. Config, state and sink outlive the queue.
template <typename WorkPtr>
class WorkQueue {
 public:
  WorkQueue(const ShardConfig& config, const ShardState& state, WriterSink& sink)
      : config_(config), state_(state), sink_(sink) {}

  void submit(WorkPtr work);
  // What waits is still done until the deadline, and refused after it; what is submitted from now is refused.
  void stop(SteadyTime deadline);

  // Waits for works and gives the next batch, within batch_rows and batch_bytes. Those that cannot be done,
  // because the shard or the slot is not served here, are refused already. Empty: stopped, and nothing is
  // left.
  [[nodiscard]] std::optional<TakenWorks<WorkPtr>> take();
  // Sleeps until then or until the deadline of stop(). False, at once: that deadline has passed.
  [[nodiscard]] bool pause(SteadyTime until);
  [[nodiscard]] bool stopping();
  // Removes and completes what is past its deadline; everything when the shard is not served.
  void refuse_late();

 private:
  const ShardConfig& config_;
  const ShardState& state_;
  WriterSink& sink_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<WorkPtr> queue_;
  std::size_t bytes_ = 0;
  bool stopping_ = false;
  bool ended_ = false;
  SteadyTime stop_deadline_ = SteadyTime::max();
};

}  // namespace hongyan::logic
