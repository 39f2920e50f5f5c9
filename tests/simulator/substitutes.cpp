#include "tests/simulator/substitutes.h"

#include <fmt/format.h>
#include <pthread.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "tests/simulator/process.h"
#include "tests/simulator/world.h"

namespace hongyan::simulator {

namespace {

std::map<unsigned long, std::shared_ptr<Fiber>> threads;
unsigned long next_thread = 1;

// Who waits on which condition, in the order of coming.
std::map<const void*, std::vector<std::pair<std::uint64_t, Fiber::Waker>>> waiting;
std::uint64_t next_waiter = 1;

bool forget_waiter(const void* condition, std::uint64_t number) {
  const auto found = waiting.find(condition);
  if (found == waiting.end()) return false;
  const auto erased = std::erase_if(found->second, [number](const auto& one) { return one.first == number; });
  if (found->second.empty()) waiting.erase(found);
  return erased != 0;
}

// The mutex is held before and after. False: the time came first.
bool wait_on(pthread_cond_t* condition, pthread_mutex_t* mutex, std::optional<SteadyTime> until) {
  Fiber* fiber = Fiber::current();
  HONGYAN_ASSERT(fiber != nullptr);
  const std::uint64_t number = next_waiter++;
  const Fiber::Waker wake = fiber->waker();
  waiting[condition].emplace_back(number, wake);
  if (until) World::current()->at(*until, wake);
  pthread_mutex_unlock(mutex);
  struct Back {
    pthread_cond_t* condition;
    pthread_mutex_t* mutex;
    std::uint64_t number;
    bool& timed_out;
    ~Back() {
      timed_out = forget_waiter(condition, number);
      pthread_mutex_lock(mutex);
    }
  };
  bool timed_out = false;
  {
    const Back back{.condition = condition, .mutex = mutex, .number = number, .timed_out = timed_out};
    fiber->block();
  }
  return !timed_out;
}

void notify(const void* condition, bool all) {
  const auto found = waiting.find(condition);
  if (found == waiting.end()) return;
  std::vector<std::pair<std::uint64_t, Fiber::Waker>> woken;
  if (all) {
    woken.swap(found->second);
  } else {
    woken.push_back(std::move(found->second.front()));
    found->second.erase(found->second.begin());
  }
  if (found->second.empty()) waiting.erase(found);
  for (const auto& [number, wake] : woken) wake();
}

unsigned long start_thread(std::function<void()> body) {
  Process* process = Process::current();
  HONGYAN_ASSERT(process != nullptr);
  threads[next_thread] = process->spawn(std::move(body));
  return next_thread++;
}

void join_thread(unsigned long number) {
  const auto found = threads.find(number);
  HONGYAN_ASSERT(found != threads.end());
  const auto fiber = found->second;
  while (!fiber->ended()) {
    HONGYAN_ASSERT(Fiber::current() != nullptr);
    fiber->when_ended(Fiber::current()->waker());
    Fiber::current()->block();
  }
  threads.erase(number);
}

std::chrono::nanoseconds machine_time(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

void forget_threads() {
  threads.clear();
  waiting.clear();
}

}  // namespace hongyan::simulator

// Of the C++ library.

namespace sim = hongyan::simulator;

void std::thread::_M_start_thread(_State_ptr state, void (* /*depend*/)()) {
  const std::shared_ptr<_State> body = std::move(state);
  _M_id = id(sim::start_thread([body] { body->_M_run(); }));
}

void std::thread::join() {
  sim::join_thread(_M_id._M_thread);
  _M_id = id();
}

void std::condition_variable::wait(std::unique_lock<std::mutex>& lock) {
  sim::wait_on(native_handle(), lock.mutex()->native_handle(), std::nullopt);
}

void std::condition_variable::notify_one() noexcept { sim::notify(native_handle(), false); }
void std::condition_variable::notify_all() noexcept { sim::notify(native_handle(), true); }

// What std::condition_variable::wait_until is made of.
extern "C" int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t /*clock*/,
                                      const timespec* until) {
  const hongyan::SteadyTime time{std::chrono::seconds(until->tv_sec) +
                                 std::chrono::nanoseconds(until->tv_nsec)};
  return sim::wait_on(condition, mutex, time) ? 0 : ETIMEDOUT;
}

std::chrono::steady_clock::time_point std::chrono::steady_clock::now() noexcept {
  const sim::World* world = sim::World::current();
  return world != nullptr ? world->now() : time_point(sim::machine_time(CLOCK_MONOTONIC));
}

std::chrono::system_clock::time_point std::chrono::system_clock::now() noexcept {
  const sim::World* world = sim::World::current();
  return world != nullptr ? time_point(std::chrono::milliseconds(world->wall_ms()))
                          : time_point(sim::machine_time(CLOCK_REALTIME));
}

// Of common/base/random.h.

namespace hongyan {

std::uint64_t random_id() { return simulator::World::current()->draw() | 1; }

void random_bytes(std::span<unsigned char> out) {
  for (unsigned char& byte : out) byte = static_cast<unsigned char>(simulator::World::current()->draw(256));
}

std::string random_id_text() { return fmt::format("{:016x}{:016x}", random_id(), random_id()); }

double random_fraction() { return static_cast<double>(simulator::World::current()->draw() >> 11) * 0x1p-53; }

}  // namespace hongyan
