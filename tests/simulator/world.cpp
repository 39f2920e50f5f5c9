#include "tests/simulator/world.h"

#include <cstdio>

namespace hongyan::simulator {

namespace {

constexpr SteadyTime kBegin{std::chrono::hours(1)};     // a time point of zero means "never" to some
constexpr std::int64_t kWallBegin = 1'767'225'600'000;  // 2026-01-01
constexpr std::size_t kKeptLines = 400;
constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr std::uint64_t kFnvPrime = 0x100000001b3;

World* the_world = nullptr;

}  // namespace

World::World(std::uint64_t seed) : generator_(seed), now_(kBegin), digest_(kFnvOffset) { the_world = this; }

World::~World() { the_world = nullptr; }

World* World::current() noexcept { return the_world; }

Milliseconds World::elapsed() const noexcept {
  return std::chrono::duration_cast<Milliseconds>(now_ - kBegin);
}

std::int64_t World::wall_ms() const noexcept { return kWallBegin + elapsed().count(); }

void World::at(SteadyTime time, std::function<void()> f) {
  events_.emplace(std::pair(std::max(time, now_), next_event_++), std::move(f));
}

bool World::step() {
  if (events_.empty() || !broken_.empty()) return false;
  const auto first = events_.begin();
  now_ = first->first.first;
  const std::function<void()> f = std::move(first->second);
  events_.erase(first);
  f();
  return broken_.empty();
}

void World::note(std::string line) {
  const auto us = std::chrono::duration_cast<Micros>(now_ - kBegin).count();
  std::string whole = fmt::format("{:>10.3f} {}", static_cast<double>(us) / 1000, line);
  for (const char c : whole) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * kFnvPrime;
  if (print_all_) std::puts(whole.c_str());
  lines_.push_back(std::move(whole));
  if (lines_.size() > kKeptLines) lines_.pop_front();
}

}  // namespace hongyan::simulator
