#include "logic/message/delivery.h"

#include "common/base/assert.h"

namespace hongyan::logic {

void Delivery::take(LaneBatch batch) {
  if (context_.slots.status(batch.lane.destination) != SlotStatus::kServing) {
    port_.send_result(batch.source_thread,
                      {.lane = batch.lane, .not_owner = true, .works = std::move(batch.works)});
    return;
  }
  auto state = std::make_shared<LaneBatchState>(LaneBatchState{
      .lane = batch.lane, .source_thread = batch.source_thread, .remaining = batch.works.size(), .back = {}});
  Shard& shard = context_.shards.of(batch.lane.destination);
  std::shared_ptr<bool> chain;
  if (batch.works.size() > 1) chain = std::make_shared<bool>(false);
  for (auto& work : batch.works) {
    work->delivery = this;
    work->batch = state;
    work->thread = context_.index;
    work->deadline = context_.now() + context_.config.accept_deadline;
    work->chain_broken = chain;
    if (work->to_group) {
      steps_.came_for_group(std::move(work));
    } else {
      shard.submit(std::move(work));
    }
  }
}

void DeliverWork::come_back(std::unique_ptr<InboxWork> self) {
  const InboxWork* same = self.release();
  HONGYAN_ASSERT(same == this);
  delivery->finished(DeliverWorkPtr(this));
}

void Delivery::finished(DeliverWorkPtr work) {
  switch (work->outcome) {
    case StoreWork::Outcome::kStored:
      context_.counters.delivered.add();
      steps_.delivered(*work);
      break;
    case StoreWork::Outcome::kExists:
      // Also what a commit of unknown outcome turns out to be, so it may never have been pushed. A device
      // that has it discards it.
      steps_.delivered(*work);
      break;
    case StoreWork::Outcome::kParked:
      context_.counters.parked.add();
      break;
    case StoreWork::Outcome::kRefused:
    case StoreWork::Outcome::kPending:
      break;
  }
  give_back(std::move(work));
}

void Delivery::give_back(DeliverWorkPtr work) {
  const auto state = std::move(work->batch);
  state->back.push_back(std::move(work));
  if (--state->remaining > 0) return;
  port_.send_result(state->source_thread, {.lane = state->lane, .works = std::move(state->back)});
}

}  // namespace hongyan::logic
