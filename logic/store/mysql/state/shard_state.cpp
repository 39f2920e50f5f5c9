#include "logic/store/mysql/state/shard_state.h"

namespace hongyan::logic {

namespace {
std::int64_t monotonic_ms(SteadyTime time) noexcept {
  return std::chrono::duration_cast<Milliseconds>(time.time_since_epoch()).count();
}
constexpr std::chrono::seconds kTroubleRemembered{15};
}  // namespace

void ShardState::begun(std::uint64_t epoch, std::uint64_t barrier) {
  auto tenure = std::make_shared<Tenure>();
  tenure->epoch = epoch;
  tenure->barrier = barrier;
  const std::lock_guard lock(mutex_);
  tenure_ = std::move(tenure);
  resume();
}

void ShardState::claimed(std::span<const AcquiredSlot> slots) {
  const std::lock_guard lock(mutex_);
  auto tenure = std::make_shared<Tenure>(*tenure_);
  for (const AcquiredSlot& lease : slots) tenure->slot_epochs[lease.slot] = lease.epoch;
  tenure_ = std::move(tenure);
}

std::vector<Slot> ShardState::give_up(std::span<const Slot> slots) {
  std::vector<Slot> held;
  const std::lock_guard lock(mutex_);
  auto tenure = std::make_shared<Tenure>(*tenure_);
  for (const Slot slot : slots) {
    if (std::exchange(tenure->slot_epochs[slot], 0) != 0) held.push_back(slot);
  }
  tenure_ = std::move(tenure);
  return held;
}

std::vector<Slot> ShardState::give_up() {
  std::vector<Slot> all;
  for (Slot slot = 0; slot < kSlotCount; ++slot) all.push_back(slot);
  return give_up(all);
}

TenurePtr ShardState::tenure() const {
  const std::lock_guard lock(mutex_);
  return tenure_;
}

void ShardState::merge(const TenurePtr& before, const Tenure& read) {
  auto merged = std::make_shared<Tenure>(read);
  for (Slot slot = 0; slot < kSlotCount; ++slot) {
    if (!read.still_holds(slot, *before)) merged->slot_epochs[slot] = 0;
  }
  const std::lock_guard lock(mutex_);
  if (tenure_ == before && before->epoch == read.epoch) tenure_ = std::move(merged);
}

void ShardState::beat_written(SteadyTime begun, MsgId id_limit, std::int64_t server_clock_ms) {
  last_beat_.store(begun.time_since_epoch().count(), std::memory_order_release);
  clock_offset_ms_.store(server_clock_ms - monotonic_ms(SteadyClock::now()), std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  id_limit_.store(id_limit, std::memory_order_release);
  limit_raised_.notify_all();
}

bool ShardState::serving(SteadyTime now) const noexcept {
  const SteadyTime last{SteadyTime::duration(last_beat_.load(std::memory_order_acquire))};
  return serving_.load(std::memory_order_acquire) && now - last < kBeatSilence;
}

std::int64_t ShardState::clock_ms() const noexcept {
  return monotonic_ms(SteadyClock::now()) + clock_offset_ms_.load(std::memory_order_relaxed);
}

bool ShardState::wait_for_ids(MsgId id, Milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto enough = [&] { return id_limit() >= id; };
  if (enough()) return true;
  beat_wanted_ = woken_ = true;
  keeper_wake_.notify_one();
  return limit_raised_.wait_for(lock, patience, enough);
}

void ShardState::fence_lost(std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch != tenure_->epoch) return;
  suspend();
  fence_lost_ = woken_ = true;
  keeper_wake_.notify_one();
}

void ShardState::keeper_wait(SteadyTime until) {
  std::unique_lock lock(mutex_);
  keeper_wake_.wait_until(lock, until, [&] { return woken_; });
  woken_ = false;
}

void ShardState::wake_keeper() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  keeper_wake_.notify_one();
}

bool ShardState::take_beat_request() {
  const std::lock_guard lock(mutex_);
  return std::exchange(beat_wanted_, false);
}

bool ShardState::take_fence_loss() {
  const std::lock_guard lock(mutex_);
  return std::exchange(fence_lost_, false);
}

void ShardState::set_trouble(const std::string& who, std::string reason) {
  const std::lock_guard lock(mutex_);
  troubles_[who] = {.reason = std::move(reason), .told = SteadyClock::now()};
}

void ShardState::clear_trouble(const std::string& who) {
  const std::lock_guard lock(mutex_);
  troubles_.erase(who);
}

std::string ShardState::trouble() const {
  const SteadyTime now = SteadyClock::now();
  std::string text;
  const std::lock_guard lock(mutex_);
  for (const auto& [who, trouble] : troubles_) {
    if (who != kKeeper && now - trouble.told > kTroubleRemembered) continue;
    if (text.contains(trouble.reason)) continue;
    text += (text.empty() ? "" : "; ") + trouble.reason;
  }
  return text;
}

void ShardState::set_settings(std::string settings) {
  const std::lock_guard lock(mutex_);
  settings_ = std::move(settings);
}

std::string ShardState::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

}  // namespace hongyan::logic
