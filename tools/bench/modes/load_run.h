// What the loads with many senders have in common: log in, start the senders, run the phases, close, report.
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

// What a load stands on. Main thread. Its owner destroys what lives on the loops after fleet.stop(), and before
// this.
struct LoadRun {
  LoadRun(const Cluster& of, const LoadOptions& options)
      : cluster(of), load(options), content(options.size), fleet(options.loops) {}

  const Cluster& cluster;
  LoadOptions load;
  const std::string id = random_run_id();
  const Content content;
  Shared shared = {};
  Fleet fleet;
  std::vector<std::unique_ptr<Pacer>> pacers = {};

  // Makes `count` actors, each on its loop. Error: the first of make().
  [[nodiscard]] Status log_in(int count, int users, const Fleet::Job& make);
  // Starts the senders, runs the phases, closes the senders. idle: of what else is under way.
  template <typename Senders>
  [[nodiscard]] Result<Measured> drive(Senders& senders, const std::function<bool()>& idle = {});
};

// Starts every sender on its loop, in a closed loop, or in an open loop with a pacer for each loop.
template <typename Senders>
void start_senders(LoadRun& run, Senders& senders) {
  const LoadOptions& load = run.load;
  if (load.rate <= 0) {
    run.fleet.on_each_of(senders, [](Worker&, auto& sender) { sender.start(std::nullopt); });
    return;
  }
  const Pace pace{.first = SteadyClock::now() + Milliseconds(10),
                  .rate = load.rate,
                  .senders = senders.size(),
                  .backlog = load.backlog};
  run.fleet.on_each([&](Worker& worker) {
    std::vector<Pacer::Target> targets;
    for (std::size_t i = worker.number; i < senders.size(); i += run.fleet.size()) {
      auto* sender = senders[i].get();
      sender->start(pace.schedule_of(i));
      targets.push_back({.sender = i, .send = [sender](SteadyTime now) { sender->send(now); }});
    }
    run.pacers.push_back(std::make_unique<Pacer>(worker, run.shared, pace, std::move(targets)));
    run.pacers.back()->start();
  });
}

template <typename Senders>
[[nodiscard]] bool all_idle(Fleet& fleet, Senders& senders) {
  bool idle = true;
  fleet.on_each_of(senders, [&](Worker&, auto& sender) { idle = idle && sender.window().idle(); });
  return idle;
}

template <typename Senders>
Result<Measured> LoadRun::drive(Senders& senders, const std::function<bool()>& idle) {
  start_senders(*this, senders);
  auto measured =
      run_phases(shared, cluster, load, [&] { return all_idle(fleet, senders) && (!idle || idle()); });
  if (measured) fleet.on_each_of(senders, [](Worker&, auto& sender) { sender.close(); });
  return measured;
}

// What came out of all senders. Counts are of the whole run, warm-up included.
struct Totals {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;
  Histogram acks = {};
  Histogram deliveries = {};

  void add_times(const Window& window);
  void add(const Check& check, const Window& window);
};

// The parameters that all loads have.
void add_load(Report& report, const LoadOptions& load);
// The counts, and a warning when messages of an open loop were left out.
void add_totals(Report& report, const Totals& totals, const Shared& shared);

}  // namespace hongyan::bench
