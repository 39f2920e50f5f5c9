// Slots that leave this node and come back while works are under way, step by step.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/logic/group/groups_harness.h"

namespace hongyan::logic {

// A slot is lost in two steps, as with the keeper: first nothing more is stored under its lease, then the slot threads
// hear of it. It comes back under another epoch, with what its owner finds unfinished. Each slot thread does what comes
// to it in the order in which it comes, but slowly: a step a time.
class MovesHarness : public GroupsHarness {
 protected:
  MovesHarness() {
    for (auto& shard : shards_) {
      shard.holds = [this](Slot slot, std::uint64_t epoch) {
        return leases_[slot] != 0 && (epoch == 0 || epoch == leases_[slot]);
      };
    }
    leases_.fill(1);
    epochs_.fill(1);
  }

  [[nodiscard]] bool owned(Slot slot) const { return leases_[slot] != 0; }
  // Nothing is stored under these leases from now on; the slot threads hear of it later.
  void lose(const std::vector<Slot>& slots) {
    for (const Slot slot : slots) leases_[slot] = 0;
    for_shards(slots, [this](std::size_t shard, const std::vector<Slot>& mine) {
      for_threads([shard, mine](Pipeline& pipeline) { pipeline.slots_lost(shard, mine); });
    });
  }
  // Whatever their last owner has stored is found.
  void regain(const std::vector<Slot>& slots) {
    ++version_;
    for_shards(slots, [this](std::size_t shard, const std::vector<Slot>& mine) {
      std::vector<AcquiredSlot> acquired;
      std::array<std::shared_ptr<Redo>, kThreads> redo;
      for (auto& one : redo) one = std::make_shared<Redo>();
      for (const Slot slot : mine) {
        shards_[shard].find_redo(slot, *redo[slot % kThreads]);
        leases_[slot] = ++epochs_[slot];
        acquired.push_back({.slot = slot, .epoch = leases_[slot], .mark = shards_[shard].marks[slot]});
      }
      for (std::uint32_t i = 0; i < kThreads; ++i) {
        later(i, [shard, acquired, part = redo[i], version = version_](Pipeline& pipeline) {
          pipeline.shard_acquired(shard, acquired, std::move(*part), version);
        });
      }
    });
  }
  // As the gate does when it is told of them.
  void announce_sessions() {
    link::Sessions told;
    told.set_announce(true);
    told.set_last(true);
    told.set_slots_version(version_);
    for (const auto& [channel, session] : sessions_at_gate_) *told.add_sessions() = session;
    for_threads([this, told](Pipeline& pipeline) { pipeline.sessions(gate_, told); });
  }

  // Gathers what the last turn led to; one step of a thread. False: it has nothing to do.
  bool step(std::uint32_t thread) {
    collect();
    if (tasks_[thread].empty()) return false;
    const auto task = std::move(tasks_[thread].front());
    tasks_[thread].pop_front();
    task(*threads_[thread]);
    threads_[thread]->end_turn();
    after_step();
    return true;
  }
  // A writer of the shard takes so many works; it gives them back with return_works().
  void write(std::size_t shard, std::size_t works) {
    keep(shards_[shard].commit(works), shard);
    keep(shards_[shard].commit_groups(works), shard);
  }
  bool return_works(std::size_t shard) {
    if (written_[shard].empty()) return false;
    const auto give = std::move(written_[shard].front());
    written_[shard].pop_front();
    give();
    return true;
  }
  // Of boxes only, at once.
  void write_boxes(std::size_t shard) { give_back(shards_[shard].commit()); }
  void run_all() {
    for (int round = 0; round < 100'000; ++round) {
      bool moved = false;
      for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
        write(shard, SIZE_MAX);
        while (return_works(shard)) moved = true;
      }
      for (std::uint32_t i = 0; i < kThreads; ++i) moved = step(i) || moved;
      if (!moved) return;
    }
    FAIL() << "does not settle";
  }
  void tick(Milliseconds time) {
    now_ += time;
    wall_ += time.count();
    for_threads([](Pipeline& pipeline) { pipeline.tick(); });
  }
  void write_upkeep() {
    for_threads([](Pipeline& pipeline) { pipeline.upkeep(); });
  }
  // Until nothing waits for its time any more.
  void rest() {
    for (int i = 0; i < 40; ++i) {
      run_all();
      tick(Milliseconds(500));
    }
    run_all();
    write_upkeep();
    run_all();
  }

  virtual void after_step() {}

  using Task = std::function<void(Pipeline&)>;
  void later(std::uint32_t thread, Task task) {
    collect();
    tasks_[thread].push_back(std::move(task));
  }
  void for_threads(const Task& task) {
    for (std::uint32_t i = 0; i < kThreads; ++i) later(i, task);
  }
  [[nodiscard]] std::vector<Slot> slots_of(std::span<const std::string> uids) const {
    std::vector<Slot> slots;
    for (const auto& uid : uids) slots.push_back(slot_of("demo", uid));
    return slots;
  }
  [[nodiscard]] std::size_t retired() const {
    std::size_t users = 0;
    for (const auto& thread : threads_) users += thread->context().users.retired();
    return users;
  }

  std::array<std::uint64_t, kSlotCount> leases_{};  // 0: not ours
  std::array<std::uint64_t, kSlotCount> epochs_{};  // the last ones
  std::uint64_t version_ = 0;
  std::map<std::uint64_t, link::Session> sessions_at_gate_;  // by channel

 private:
  template <typename F>
  void for_shards(const std::vector<Slot>& slots, F f) {
    std::map<std::size_t, std::vector<Slot>> by_shard;
    for (const Slot slot : slots) by_shard[shard_set_.index_of(slot)].push_back(slot);
    for (auto& [shard, mine] : by_shard) {
      std::ranges::sort(mine);
      f(shard, mine);
    }
  }
  template <typename Work>
  void give_back(std::vector<Work> works) {
    std::array<std::shared_ptr<std::vector<Work>>, kThreads> parts;
    for (auto& part : parts) part = std::make_shared<std::vector<Work>>();
    for (auto& work : works) parts[work->thread]->push_back(std::move(work));
    for (std::uint32_t i = 0; i < kThreads; ++i) {
      if (parts[i]->empty()) continue;
      later(i, [part = parts[i]](Pipeline& pipeline) { pipeline.works_finished(std::move(*part)); });
    }
  }
  template <typename Work>
  void keep(std::vector<Work> works, std::size_t shard) {
    if (works.empty()) return;
    const auto kept = std::make_shared<std::vector<Work>>(std::move(works));
    written_[shard].push_back([this, kept] { give_back(std::move(*kept)); });
  }
  void collect() {
    for (; !mail_.empty(); mail_.pop_front()) {
      auto mail = std::make_shared<ThreadMail>(std::move(mail_.front().second));
      tasks_[mail_.front().first].push_back(
          [mail](Pipeline& pipeline) { pipeline.take_mail(std::move(*mail)); });
    }
    for (; !posted_.empty(); posted_.pop_front()) {
      tasks_[posted_.front().first].push_back([f = std::move(posted_.front().second)](Pipeline&) { f(); });
    }
  }

  std::array<std::deque<Task>, kThreads> tasks_;
  std::array<std::deque<std::function<void()>>, 2> written_;  // by shard
};

}  // namespace hongyan::logic
