#include "logic/store/mysql/shard_state.h"

namespace hongyan::logic {

namespace {
std::int64_t monotonic_ms(SteadyTime time) noexcept {
  return std::chrono::duration_cast<Milliseconds>(time.time_since_epoch()).count();
}
constexpr std::chrono::seconds kTroubleRemembered{15};
}  // namespace

void ShardState::acquired(std::uint64_t node_epoch, std::uint64_t node_barrier,
                          std::span<const AcquiredSlot> slots) {
  std::array<std::uint64_t, kSlotCount / 64> owned{};
  for (const AcquiredSlot& lease : slots) owned[lease.slot / 64] |= std::uint64_t{1} << (lease.slot % 64);
  for (std::size_t i = 0; i < owned.size(); ++i) owned_[i].store(owned[i], std::memory_order_relaxed);
  saw_barrier(node_barrier);
  epoch_.store(node_epoch, std::memory_order_release);
  resume();
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

void ShardState::fence_lost() {
  suspend();
  const std::lock_guard lock(mutex_);
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
