// Step 2 of the pipeline at the receiver's side: store in the inbox, then push.
#pragma once

#include <memory>
#include <vector>

#include "logic/message/lane.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// A lane's batch until all of its works came back from the writers.
struct LaneBatchState {
  LaneKey lane;
  std::uint32_t source_thread = 0;
  std::size_t remaining = 0;
  std::vector<DeliverWorkPtr> back;
};

// Takes batches for the slots of one slot thread. One thread.
class Delivery {
 public:
  Delivery(ThreadContext& context, LanePort& port, Steps& steps)
      : context_(context), port_(port), steps_(steps) {}

  void take(LaneBatch batch);
  void finished(DeliverWorkPtr work);
  // Done with, one way or the other: the batch goes back when all of it is.
  void give_back(DeliverWorkPtr work);

 private:
  ThreadContext& context_;
  LanePort& port_;
  Steps& steps_;
};

}  // namespace hongyan::logic
