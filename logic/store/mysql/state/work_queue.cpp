#include "logic/store/mysql/state/work_queue.h"

#include <algorithm>
#include <utility>

namespace hongyan::logic {

void refuse(StoreWork& work, const char* why) {
  work.outcome = StoreWork::Outcome::kRefused;
  work.error = {Code::kUnavailable, why, kRetrySoonMs};
}

void refuse_slot_lost(StoreWork& work) {
  refuse(work, kNotOurs);
  work.slot_lost = true;
}

template <typename WorkPtr>
void WorkQueue<WorkPtr>::submit(WorkPtr work) {
  work->outcome = StoreWork::Outcome::kPending;
  work->slot_lost = false;
  std::unique_lock lock(mutex_);
  if (stopping_) refuse(*work, "the node is stopping");
  if (bytes_ + work->bytes() > config_.queue_bytes) refuse(*work, "the shard's queue is full");
  if (work->outcome == StoreWork::Outcome::kRefused) work->drop_content();
  if (ended_) {
    lock.unlock();
    std::vector<WorkPtr> one;
    one.push_back(std::move(work));
    return sink_.completed(std::move(one));
  }
  bytes_ += work->bytes();
  queue_.push_back(std::move(work));
  if (queue_.size() == 1) wake_.notify_one();
}

template <typename WorkPtr>
void WorkQueue<WorkPtr>::stop(SteadyTime deadline) {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stop_deadline_ = deadline;
  wake_.notify_all();
}

template <typename WorkPtr>
std::optional<TakenWorks<WorkPtr>> WorkQueue<WorkPtr>::take() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !queue_.empty() || stopping_; });
  if (queue_.empty()) {
    ended_ = true;
    return std::nullopt;
  }
  const SteadyTime now = SteadyClock::now();
  const bool late = stopping_ && now > stop_deadline_;
  std::vector<WorkPtr> works;
  std::size_t bytes = 0;
  while (!queue_.empty() && works.size() < config_.batch_rows) {
    const std::size_t more = queue_.front()->bytes();
    if (!works.empty() && bytes + more > config_.batch_bytes) break;
    bytes += more;
    works.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  bytes_ -= bytes;
  lock.unlock();

  TenurePtr tenure = state_.tenure();
  const bool serving = state_.serving(now);
  for (const WorkPtr& work : works) {
    if (work->outcome != StoreWork::Outcome::kPending) continue;
    if (late) {
      refuse(*work, "the node is stopping");
    } else if (!serving) {
      refuse(*work, "the shard is not served");
    } else if (!tenure->owns(work->slot) ||
               (work->slot_epoch != 0 && work->slot_epoch != tenure->slot_epoch(work->slot))) {
      refuse_slot_lost(*work);
    }
  }
  return TakenWorks<WorkPtr>{.tenure = std::move(tenure), .works = std::move(works)};
}

template <typename WorkPtr>
bool WorkQueue<WorkPtr>::pause(SteadyTime until) {
  std::unique_lock lock(mutex_);
  if (stopping_ && SteadyClock::now() > stop_deadline_) return false;
  wake_.wait_until(lock, std::min(until, stop_deadline_), [] { return false; });
  return true;
}

template <typename WorkPtr>
bool WorkQueue<WorkPtr>::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

template <typename WorkPtr>
void WorkQueue<WorkPtr>::refuse_late() {
  std::vector<WorkPtr> refused;
  const SteadyTime now = SteadyClock::now();
  const bool serving = state_.serving(now);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(queue_, [&](WorkPtr& work) {
      if (serving && work->deadline >= now) return false;
      if (work->outcome == StoreWork::Outcome::kPending) refuse(*work, "the shard does not answer");
      work->break_chain();
      bytes_ -= work->bytes();
      refused.push_back(std::move(work));
      return true;
    });
  }
  if (!refused.empty()) sink_.completed(std::move(refused));
}

template class WorkQueue<WriterWorkPtr>;
template class WorkQueue<GroupWorkPtr>;

}  // namespace hongyan::logic
