// What the loads with many senders have in common.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "tools/bench/actors/fleet.h"
#include "tools/bench/actors/pacer.h"
#include "tools/bench/measure/load.h"
#include "tools/bench/measure/report.h"
#include "tools/bench/measure/window.h"

namespace hongyan::bench {

// Starts every sender on its loop, in a closed loop, or in an open loop with a pacer for each loop.
template <typename Senders>
void start_senders(Fleet& fleet, Shared& shared, const LoadOptions& load, Senders& senders,
                   std::vector<std::unique_ptr<Pacer>>& pacers) {
  if (load.rate <= 0) {
    fleet.on_each_of(senders, [](Worker&, auto& sender) { sender.start(std::nullopt); });
    return;
  }
  const Pace pace{.first = SteadyClock::now() + Milliseconds(10),
                  .rate = load.rate,
                  .senders = senders.size(),
                  .backlog = load.backlog};
  fleet.on_each([&](Worker& worker) {
    std::vector<Pacer::Target> targets;
    for (std::size_t i = worker.number; i < senders.size(); i += fleet.size()) {
      auto* sender = senders[i].get();
      sender->start(pace.schedule_of(i));
      targets.push_back({.sender = i, .send = [sender](SteadyTime now) { sender->send(now); }});
    }
    pacers.push_back(std::make_unique<Pacer>(worker, shared, pace, std::move(targets)));
    pacers.back()->start();
  });
}

template <typename Senders>
[[nodiscard]] bool all_idle(Fleet& fleet, Senders& senders) {
  bool idle = true;
  fleet.on_each_of(senders, [&](Worker&, auto& sender) { idle = idle && sender.window().idle(); });
  return idle;
}

// Counts of the whole run, warm-up included.
struct Totals {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;

  void add(const Check& check, const Window& window) noexcept;
};

// The parameters that all loads have.
void add_load(Report& report, const LoadOptions& load);
// The counts, and a warning when messages of an open loop were left out.
void add_totals(Report& report, const Totals& totals, const Shared& shared);

}  // namespace hongyan::bench
