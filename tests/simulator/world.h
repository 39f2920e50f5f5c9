// Virtual time: what happens next, and by which chance.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "common/base/clock.h"

namespace hongyan::simulator {

using Micros = std::chrono::microseconds;

// The clock, the events to come and the generator of one run. One at a time in the process: while it lives, the
// process's clocks are its clock (substitutes.cpp). Everything of a run follows from its seed.
class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  // Null: no run is under way.
  [[nodiscard]] static World* current() noexcept;

  [[nodiscard]] SteadyTime now() const noexcept { return now_; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept;
  // Since the run began.
  [[nodiscard]] Milliseconds elapsed() const noexcept;

  void at(SteadyTime time, std::function<void()> f);
  void after(Micros delay, std::function<void()> f) { at(now_ + delay, std::move(f)); }
  // Runs the next event. False: there is none, or a rule was broken.
  bool step();

  [[nodiscard]] std::uint64_t draw() { return generator_(); }
  // In [0, below).
  [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return generator_() % below; }
  [[nodiscard]] bool chance(double p) { return static_cast<double>(generator_() >> 11) * 0x1p-53 < p; }
  [[nodiscard]] Micros between(Micros least, Micros most) {
    return least +
           Micros(static_cast<std::int64_t>(draw(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }

  // Becomes part of the digest; the last lines are kept.
  template <typename... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    note(fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] std::uint64_t digest() const noexcept { return digest_; }
  [[nodiscard]] const std::deque<std::string>& last_lines() const noexcept { return lines_; }
  void print_all() noexcept { print_all_ = true; }

  // A rule was broken: the run is over. The first one counts.
  template <typename... Args>
  void broken(fmt::format_string<Args...> format, Args&&... args) {
    if (broken_.empty()) broken_ = fmt::format(format, std::forward<Args>(args)...);
  }
  [[nodiscard]] const std::string& broken() const noexcept { return broken_; }

 private:
  void note(std::string line);

  std::mt19937_64 generator_;
  SteadyTime now_;
  std::map<std::pair<SteadyTime, std::uint64_t>, std::function<void()>> events_;
  std::uint64_t next_event_ = 0;
  std::uint64_t digest_;
  std::deque<std::string> lines_;
  bool print_all_ = false;
  std::string broken_;
};

}  // namespace hongyan::simulator
