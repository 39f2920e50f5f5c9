// What the threads of one shard share: the keeper writes it, writers ask it before each batch.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/msg_id.h"
#include "logic/store/mysql/state/tenure.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

// A node whose beat was not written for this long stops serving; others take over only a second later.
inline constexpr Milliseconds kBeatSilence{2000};

// Who speaks of a shard's leases in ShardState::set_trouble.
inline constexpr const char* kKeeper = "keeper";

// Any thread. Lives as long as the shard.
class ShardState {
 public:
  // Keeper: the node's life in this shard begins, at this epoch and without leases. What is written is served.
  void begun(std::uint64_t epoch, std::uint64_t barrier);
  // Keeper: these leases are held from now on, too. Of slots of which all was read, nothing earlier.
  void claimed(std::span<const AcquiredSlot> slots);
  // Keeper: these leases, or all, are given up; what is under way under them will be refused. Those that were held.
  [[nodiscard]] std::vector<Slot> give_up(std::span<const Slot> slots);
  [[nodiscard]] std::vector<Slot> give_up();
  // Keeper: `begun` is when the beat's statement was sent.
  void beat_written(SteadyTime begun, MsgId id_limit, std::int64_t server_clock_ms);
  void suspend() noexcept { serving_.store(false, std::memory_order_release); }
  void resume() noexcept { serving_.store(true, std::memory_order_release); }
  void set_down(bool down) noexcept { down_.store(down, std::memory_order_relaxed); }
  [[nodiscard]] bool down() const noexcept { return down_.load(std::memory_order_relaxed); }

  // Whether rows may be written now: leases are held and the beat is fresh.
  [[nodiscard]] bool serving(SteadyTime now) const noexcept;
  // Taken once by whoever writes, for all of that write.
  [[nodiscard]] TenurePtr tenure() const;
  // What was read of the database, by whoever had `before` when it began to read: the barrier from now on,
  // and without the leases that are gone. Nothing, if there is a younger tenure by now.
  void merge(const TenurePtr& before, const Tenure& read);
  [[nodiscard]] MsgId id_limit() const noexcept { return id_limit_.load(std::memory_order_acquire); }
  [[nodiscard]] std::int64_t clock_ms() const noexcept;

  // Writer: asks the keeper for a beat now and waits until ids up to `id` may be issued. False: not in time.
  [[nodiscard]] bool wait_for_ids(MsgId id, Milliseconds patience);
  // Writer: the fence does not hold this epoch any more. Serving ends at once, unless it is an epoch of the
  // past; the keeper finds out why.
  void fence_lost(std::uint64_t epoch);

  // Keeper: sleeps until the time, or until it is asked for something, or woken.
  void keeper_wait(SteadyTime until);
  void wake_keeper();
  // Keeper: whether a writer asked since the last call.
  [[nodiscard]] bool take_beat_request();
  [[nodiscard]] bool take_fence_loss();

  // Why `who` cannot do its work, for operators. What is not said again is forgotten after a while, but for
  // the keeper's, who knows.
  void set_trouble(const std::string& who, std::string reason);
  void clear_trouble(const std::string& who);
  // All of it, or "".
  [[nodiscard]] std::string trouble() const;

  void set_settings(std::string settings);
  [[nodiscard]] std::string settings() const;

 private:
  std::atomic<bool> serving_{false};
  std::atomic<bool> down_{true};
  std::atomic<MsgId> id_limit_{0};
  std::atomic<SteadyClock::rep> last_beat_{0};
  std::atomic<std::int64_t> clock_offset_ms_{0};  // the server's clock minus the monotonic one

  mutable std::mutex mutex_;
  TenurePtr tenure_ = std::make_shared<const Tenure>();
  std::condition_variable keeper_wake_;
  std::condition_variable limit_raised_;
  bool woken_ = false;
  bool beat_wanted_ = false;
  bool fence_lost_ = false;
  std::string settings_;
  struct Trouble {
    std::string reason;
    SteadyTime told;
  };
  std::map<std::string, Trouble> troubles_;
};

}  // namespace hongyan::logic
