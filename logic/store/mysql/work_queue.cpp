#include "logic/store/mysql/work_queue.h"

#include <algorithm>
#include <utility>

#include "logic/store/mysql/writer_batch.h"

namespace hongyan::logic {

namespace {

constexpr std::uint32_t kRetryAfterMs = 200;

// It still waits for its turn in the queue. What is refused on its way to an inbox is tried again.
void release_content(WriterWork& work) {
  if (work.kind() != WriterWork::Kind::kOutbox) return;
  auto& row = static_cast<OutboxWork&>(work);
  row.message.content.reset();
  row.message.mentions.reset();
}

}  // namespace

void refuse(WriterWork& work, const char* why) {
  work.outcome = WriterWork::Outcome::kRefused;
  work.error = {Code::kUnavailable, why, kRetryAfterMs};
}

void WorkQueue::submit(WriterWorkPtr work) {
  work->outcome = WriterWork::Outcome::kPending;
  std::unique_lock lock(mutex_);
  if (stopping_) refuse(*work, "the node is stopping");
  if (bytes_ + work->bytes() > config_.queue_bytes) refuse(*work, "the shard's queue is full");
  if (work->outcome == WriterWork::Outcome::kRefused) release_content(*work);
  if (ended_) {
    lock.unlock();
    std::vector<WriterWorkPtr> one;
    one.push_back(std::move(work));
    return sink_.completed(std::move(one));
  }
  bytes_ += work->bytes();
  queue_.push_back(std::move(work));
  if (queue_.size() == 1) wake_.notify_one();
}

void WorkQueue::stop(SteadyTime deadline) {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stop_deadline_ = deadline;
  wake_.notify_all();
}

bool WorkQueue::take(std::vector<WriterWorkPtr>& works) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !queue_.empty() || stopping_; });
  if (queue_.empty()) {
    ended_ = true;
    return false;
  }
  const SteadyTime now = SteadyClock::now();
  const bool late = stopping_ && now > stop_deadline_;
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

  const bool serving = state_.serving(now);
  for (const WriterWorkPtr& work : works) {
    if (work->outcome != WriterWork::Outcome::kPending) continue;
    if (late) {
      refuse(*work, "the node is stopping");
    } else if (!serving) {
      refuse(*work, "the shard is not served");
    } else if (!state_.owns(work->slot)) {
      refuse(*work, "another node owns the slot");
    }
  }
  return true;
}

bool WorkQueue::pause(SteadyTime until) {
  std::unique_lock lock(mutex_);
  if (stopping_ && SteadyClock::now() > stop_deadline_) return false;
  wake_.wait_until(lock, std::min(until, stop_deadline_), [] { return false; });
  return true;
}

bool WorkQueue::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void WorkQueue::refuse_late() {
  std::vector<WriterWorkPtr> refused;
  const SteadyTime now = SteadyClock::now();
  const bool serving = state_.serving(now);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(queue_, [&](WriterWorkPtr& work) {
      if (serving && work->deadline >= now) return false;
      if (work->outcome == WriterWork::Outcome::kPending) refuse(*work, "the shard does not answer");
      break_chain(*work);
      bytes_ -= work->bytes();
      refused.push_back(std::move(work));
      return true;
    });
  }
  if (!refused.empty()) sink_.completed(std::move(refused));
}

}  // namespace hongyan::logic
