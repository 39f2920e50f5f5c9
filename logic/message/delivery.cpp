#include "logic/message/delivery.h"

#include "common/base/assert.h"

namespace hongyan::logic {

void Delivery::take(LaneBatch batch) {
  std::uint64_t& newest = source_epochs_[batch.id.lane.source];
  if (batch.id.source_epoch < newest) return refuse(std::move(batch));
  newest = batch.id.source_epoch;
  State& place = under_way_[batch.id.lane];
  if (place) {
    if (place->next) refuse(std::move(*place->next));
    place->next = std::move(batch);
    return;
  }
  begin(std::move(batch), place);
}

void Delivery::refuse(LaneBatch batch) {
  port_.send_result(batch.source,
                    {.id = batch.id, .fate = BatchFate::kRefused, .works = std::move(batch.works)});
}

void Delivery::begin(LaneBatch batch, State& place) {
  const LaneKey lane = batch.id.lane;
  const SlotState* slot = context_.slots.find(lane.destination);
  if (slot == nullptr || slot->status != SlotStatus::kServing || batch.works.empty()) {
    under_way_.erase(lane);
    return refuse(std::move(batch));
  }
  const auto state = std::make_shared<LaneBatchState>(LaneBatchState{
      .id = batch.id, .source = batch.source, .remaining = batch.works.size(), .back = {}, .next = {}});
  place = state;
  Shard& shard = context_.shards.of(lane.destination);
  std::shared_ptr<bool> chain;
  if (batch.works.size() > 1) chain = std::make_shared<bool>(false);
  for (auto& work : batch.works) {
    work->delivery = this;
    work->batch = state;
    work->thread = context_.index;
    work->slot_epoch = slot->epoch;
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
      delivered(*work);
      break;
    case StoreWork::Outcome::kExists:
      // Also what a commit of unknown outcome turns out to be, so it may never have been pushed. A device
      // that has it discards it.
      delivered(*work);
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

// Of a slot that has left nobody is known here, or as of a later time.
void Delivery::delivered(const DeliverWork& work) {
  if (context_.slots.holds(work.slot, work.slot_epoch)) steps_.delivered(work);
}

void Delivery::give_back(DeliverWorkPtr work) {
  const auto state = std::move(work->batch);
  state->back.push_back(std::move(work));
  if (--state->remaining == 0) ended(*state);
}

void Delivery::ended(LaneBatchState& state) {
  const auto place = under_way_.find(state.id.lane);
  auto next = std::move(state.next);
  port_.send_result(state.source, {.id = state.id, .works = std::move(state.back)});
  if (next) {
    begin(std::move(*next), place->second);
  } else {
    under_way_.erase(place);
  }
}

}  // namespace hongyan::logic
