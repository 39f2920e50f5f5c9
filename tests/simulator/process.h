// Processes of the simulated cluster, and what runs in them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "tests/simulator/world.h"

namespace hongyan::simulator {

class Process;

// Something that blocks, on a stack of its own, where the daemons have a thread. It runs only between two events,
// until it blocks again, so one thread runs all. Ended by an exception where it blocks when its process is killed.
class Fiber : public std::enable_shared_from_this<Fiber> {
 public:
  // What ends a fiber of a killed process; nobody else catches it.
  struct Killed {};

  // Wakes a fiber once; harmless afterwards.
  class Waker {
   public:
    Waker() = default;
    void operator()() const;

   private:
    friend class Fiber;
    std::weak_ptr<Fiber> fiber_;
    std::uint64_t turn_ = 0;
  };

  // Null outside of fibers.
  [[nodiscard]] static Fiber* current() noexcept;

  // In the fiber: block() returns once the waker made before it was called.
  [[nodiscard]] Waker waker();
  void block();
  void sleep(Micros time);

  [[nodiscard]] bool ended() const noexcept { return ended_; }
  // Called when it has ended.
  void when_ended(Waker waker) { waiting_for_end_.push_back(std::move(waker)); }

  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

 private:
  friend class Process;
  struct Stack;
  Fiber(Process& process, std::function<void()> body);
  void resume();
  void suspend();
  void end();
  static void enter();

  Process& process_;
  std::function<void()> body_;
  std::unique_ptr<Stack> stack_;
  std::uint64_t turn_ = 0;
  bool started_ = false;
  bool ended_ = false;
  bool killed_ = false;
  std::vector<Waker> waiting_for_end_;
};

// From its start to its end. Whoever holds one kills it before letting it go.
class Process : public std::enable_shared_from_this<Process> {
 public:
  explicit Process(World& world) : world_(world) {}
  ~Process();

  // Of the event or fiber that runs now; null: of none.
  [[nodiscard]] static Process* current() noexcept;

  // Runs f in the process; not when it is dead by then, and later when it stands still.
  void post(Micros delay, std::function<void()> f);
  std::shared_ptr<Fiber> spawn(std::function<void()> body);
  // f again and again while it lives.
  void every(Micros period, std::function<void()> f);

  void freeze() noexcept { frozen_ = true; }
  void thaw();
  // Ends its fibers. Not from within.
  void kill();

  [[nodiscard]] bool dead() const noexcept { return dead_; }
  [[nodiscard]] bool frozen() const noexcept { return frozen_; }
  [[nodiscard]] World& world() const noexcept { return world_; }

 private:
  void run(const std::function<void()>& f);

  World& world_;
  bool dead_ = false;
  bool frozen_ = false;
  std::deque<std::function<void()>> held_;  // while it stands still
  std::vector<std::shared_ptr<Fiber>> fibers_;
};

}  // namespace hongyan::simulator
