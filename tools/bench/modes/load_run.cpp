#include "tools/bench/modes/load_run.h"

#include <fmt/format.h>

#include "tools/bench/actors/users.h"

namespace hongyan::bench {

Status LoadRun::log_in(int count, int users, const Fleet::Job& make) {
  remark(load.progress, fmt::format("logging in {} users", users));
  return fleet.for_each(count, kLoginsAtOnce, make);
}

void Totals::add_times(const Window& window) {
  acks.add(window.ack_times());
  deliveries.add(window.delivery_times());
}

void Totals::add(const Check& check, const Window& window) {
  add_times(window);
  sent += check.next_number();
  acknowledged += check.count_acknowledged();
  delivered += check.count_delivered();
  missed += window.missed();
}

void add_load(Report& report, const LoadOptions& load) {
  report.parameters.emplace_back("window", static_cast<std::int64_t>(load.window));
  report.parameters.emplace_back("size", static_cast<std::int64_t>(load.size));
  report.parameters.emplace_back("seconds", load.seconds);
  if (load.rate > 0) report.parameters.emplace_back("rate", load.rate);
}

void add_totals(Report& report, const Totals& totals, const Shared& shared) {
  report.results.emplace_back("sent", static_cast<std::int64_t>(totals.sent));
  report.results.emplace_back("acknowledged", static_cast<std::int64_t>(totals.acknowledged));
  report.results.emplace_back("refused", static_cast<std::int64_t>(shared.refused.load()));
  report.results.emplace_back("missed", static_cast<std::int64_t>(totals.missed));
  if (shared.refused > 0) {
    report.warnings.push_back(fmt::format(
        "{} attempts were refused for the time being and repeated: a limit of the servers, or a fault",
        shared.refused.load()));
  }
  if (totals.missed > 0) {
    report.warnings.push_back(
        fmt::format("{} messages were left out: more than the backlog were late; the latencies "
                    "do not count them",
                    totals.missed));
  }
}

}  // namespace hongyan::bench
