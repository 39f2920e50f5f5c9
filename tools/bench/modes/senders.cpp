#include "tools/bench/modes/senders.h"

#include <fmt/format.h>

namespace hongyan::bench {

void Totals::add(const Check& check, const Window& window) noexcept {
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
