#include "tests/simulator/process.h"

#include <ucontext.h>

#include <algorithm>
#include <utility>

#include "common/base/assert.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HONGYAN_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#endif

namespace hongyan::simulator {

namespace {

constexpr std::size_t kStackBytes = 256 << 10;
constexpr Micros kMostWakeDelay{40};

Fiber* running = nullptr;
Process* running_process = nullptr;
ucontext_t scheduler;

// AddressSanitizer is told of each change of stacks.
struct StackBounds {
  const void* bottom = nullptr;
  std::size_t size = 0;
};
StackBounds scheduler_bounds;

void leaving([[maybe_unused]] void** saved, [[maybe_unused]] const StackBounds& next) {
#ifdef HONGYAN_ASAN
  __sanitizer_start_switch_fiber(saved, next.bottom, next.size);
#endif
}
void arrived([[maybe_unused]] void* saved, [[maybe_unused]] StackBounds* before) {
#ifdef HONGYAN_ASAN
  __sanitizer_finish_switch_fiber(saved, before != nullptr ? &before->bottom : nullptr,
                                  before != nullptr ? &before->size : nullptr);
#endif
}

using Memory = std::unique_ptr<char[]>;
// Stacks to be used again.
std::vector<Memory>& free_stacks() {
  static std::vector<Memory> stacks;
  return stacks;
}

Memory take_stack() {
  if (free_stacks().empty()) return std::make_unique_for_overwrite<char[]>(kStackBytes);
  Memory memory = std::move(free_stacks().back());
  free_stacks().pop_back();
#ifdef HONGYAN_ASAN
  __asan_unpoison_memory_region(memory.get(), kStackBytes);
#endif
  return memory;
}

}  // namespace

struct Fiber::Stack {
  Memory memory = take_stack();
  ucontext_t context{};
  void* saved = nullptr;

  ~Stack() { free_stacks().push_back(std::move(memory)); }
};

Fiber::Fiber(Process& process, std::function<void()> body) : process_(process), body_(std::move(body)) {}

Fiber::~Fiber() { HONGYAN_ASSERT(ended_ || !started_); }

Fiber* Fiber::current() noexcept { return running; }

void Fiber::Waker::operator()() const {
  const auto fiber = fiber_.lock();
  if (!fiber || fiber->turn_ != turn_ || fiber->ended_) return;
  const std::uint64_t next = ++fiber->turn_;
  World& world = fiber->process_.world();
  fiber->process_.post(world.between(Micros(0), kMostWakeDelay), [fiber, next] {
    if (!fiber->ended_ && fiber->turn_ == next) fiber->resume();
  });
}

Fiber::Waker Fiber::waker() {
  Waker waker;
  waker.fiber_ = weak_from_this();
  waker.turn_ = ++turn_;
  return waker;
}

void Fiber::block() {
  suspend();
  if (killed_) throw Killed{};
}

void Fiber::sleep(Micros time) {
  const Waker wake = waker();
  process_.world().after(time, wake);
  block();
}

void Fiber::enter() {
  arrived(nullptr, &scheduler_bounds);
  Fiber* self = running;
  try {
    self->body_();
  } catch (const Killed&) {  // what was on its stack is gone now
  }
  self->ended_ = true;
  leaving(nullptr, scheduler_bounds);
  setcontext(&scheduler);
}

void Fiber::suspend() {
  HONGYAN_ASSERT(running == this);
  leaving(&stack_->saved, scheduler_bounds);
  swapcontext(&stack_->context, &scheduler);
  arrived(stack_->saved, &scheduler_bounds);
}

void Fiber::resume() {
  HONGYAN_ASSERT(running == nullptr && !ended_);
  const auto self = shared_from_this();
  if (!std::exchange(started_, true)) {
    stack_ = std::make_unique<Stack>();
    getcontext(&stack_->context);
    stack_->context.uc_stack.ss_sp = stack_->memory.get();
    stack_->context.uc_stack.ss_size = kStackBytes;
    makecontext(&stack_->context, &Fiber::enter, 0);
  }
  running = this;
  void* saved = nullptr;
  leaving(&saved, {.bottom = stack_->memory.get(), .size = kStackBytes});
  swapcontext(&scheduler, &stack_->context);
  arrived(saved, nullptr);
  running = nullptr;
  if (ended_) end();
}

void Fiber::end() {
  ended_ = true;
  body_ = nullptr;
  stack_.reset();
  for (const Waker& waker : std::exchange(waiting_for_end_, {})) waker();
}

Process::~Process() { HONGYAN_ASSERT(dead_ || fibers_.empty()); }

Process* Process::current() noexcept { return running_process; }

void Process::run(const std::function<void()>& f) {
  Process* before = std::exchange(running_process, this);
  f();
  running_process = before;
}

void Process::post(Micros delay, std::function<void()> f) {
  if (dead_) return;
  world_.after(delay, [self = shared_from_this(), f = std::move(f)]() mutable {
    if (self->dead_) return;
    if (self->frozen_) {
      self->held_.push_back(std::move(f));
    } else {
      self->run(f);
    }
  });
}

void Process::thaw() {
  if (!std::exchange(frozen_, false)) return;
  for (auto& f : std::exchange(held_, {})) post(Micros(0), std::move(f));
}

std::shared_ptr<Fiber> Process::spawn(std::function<void()> body) {
  HONGYAN_ASSERT(!dead_);
  std::shared_ptr<Fiber> fiber(new Fiber(*this, std::move(body)));
  std::erase_if(fibers_, [](const auto& one) { return one->ended_; });
  fibers_.push_back(fiber);
  post(world_.between(Micros(0), kMostWakeDelay), [fiber] {
    if (!fiber->ended_) fiber->resume();
  });
  return fiber;
}

void Process::every(Micros period, std::function<void()> f) {
  post(period, [this, period, f = std::move(f)] {
    f();
    every(period, f);
  });
}

void Process::kill() {
  HONGYAN_ASSERT(running == nullptr);
  if (std::exchange(dead_, true)) return;
  held_.clear();
  Process* before = std::exchange(running_process, this);
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    const auto fiber = fibers_[i];
    if (fiber->ended_) continue;
    fiber->killed_ = true;
    if (fiber->started_) {
      fiber->resume();
    } else {
      fiber->end();
    }
    HONGYAN_ASSERT(fiber->ended_);
  }
  fibers_.clear();
  running_process = before;
}

}  // namespace hongyan::simulator
