// Step 2 of the pipeline at the receiver's side: store in the inbox, then push.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "logic/message/lane.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// A lane's batch until all of its works came back from the writers.
struct LaneBatchState {
  BatchId id;
  Origin source;
  std::size_t remaining = 0;
  std::vector<DeliverWorkPtr> back;
  std::optional<LaneBatch> next;  // of the same lane; begins when this one is through
};

// Takes batches for the slots of one slot thread. One thread.
//
// Of a lane at most one batch is under way, so that its rows keep their order: a source that gave a batch up as
// lost sends the rows again while they may be at the writers still. The second batch waits, as the first can be
// ended by its writers only; a third takes the place of the second, which its source has given up, too. A batch of
// a tenure that is over is refused: a later owner of its source has redone all that is in it.
class Delivery {
 public:
  Delivery(ThreadContext& context, LanePort& port, Steps& steps)
      : context_(context), port_(port), steps_(steps) {}

  void take(LaneBatch batch);
  void finished(DeliverWorkPtr work);
  // Done with, one way or the other: the batch goes back when all of it is.
  void give_back(DeliverWorkPtr work);

 private:
  using State = std::shared_ptr<LaneBatchState>;

  void begin(LaneBatch batch, State& place);
  void refuse(LaneBatch batch);
  void ended(LaneBatchState& state);
  void delivered(const DeliverWork& work);

  ThreadContext& context_;
  LanePort& port_;
  Steps& steps_;
  std::unordered_map<LaneKey, State, LaneKeyHash> under_way_;
  std::vector<std::uint64_t> source_epochs_ = std::vector<std::uint64_t>(kSlotCount);  // the highest seen
};

}  // namespace hongyan::logic
