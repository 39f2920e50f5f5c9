#include "tools/bench/modes/c2c.h"

#include <fmt/format.h>

#include "tools/bench/actors/pair.h"
#include "tools/bench/modes/load_run.h"

namespace hongyan::bench {

namespace {

class Run {
 public:
  // heavy: whether the heavy senders take part.
  Run(const Cluster& cluster, const C2cOptions& options, bool heavy)
      : options_(options),
        run_(cluster, options.load),
        heavy_fleet_(1),
        pairs_(static_cast<std::size_t>(options.pairs)),
        heavy_pairs_(heavy ? static_cast<std::size_t>(options.heavy_senders) : 0) {}
  ~Run() {
    run_.fleet.stop();
    heavy_fleet_.stop();
  }

  Result<Report> run() {
    Status status = make_pairs(run_.fleet, pairs_, "", run_.load.window);
    if (status) status = make_pairs(heavy_fleet_, heavy_pairs_, "h", options_.heavy_window);
    if (!status) return std::unexpected(status.error());
    heavy_fleet_.on_each_of(heavy_pairs_, [](Worker&, Pair& pair) { pair.start(std::nullopt); });
    auto measured = run_.drive(pairs_, [this] { return all_idle(heavy_fleet_, heavy_pairs_); });
    if (!measured) return std::unexpected(measured.error());
    heavy_fleet_.on_each_of(heavy_pairs_, [](Worker&, Pair& pair) { pair.close(); });
    return report(std::move(*measured));
  }

 private:
  using Pairs = std::vector<std::unique_ptr<Pair>>;  // by index; each on its loop

  Status make_pairs(Fleet& fleet, Pairs& pairs, const std::string& kind, std::size_t window) {
    remark(run_.load.progress, fmt::format("logging in {} users", 2 * pairs.size()));
    return fleet.for_each(static_cast<int>(pairs.size()), kLoginsAtOnce, [&](Worker& worker, int index) {
      return make_pair(&run_, &worker, &pairs[static_cast<std::size_t>(index)],
                       fmt::format("{}{}", kind, index), index, window);
    });
  }

  static net::Awaitable<Status> make_pair(LoadRun* run, Worker* worker, std::unique_ptr<Pair>* pair,
                                          std::string name, int index, std::size_t window) {
    Pair::Options options{.id = fmt::format("{}-{}-", run->id, name),
                          .sender = fmt::format("bench-{}-{}-s", run->id, name),
                          .receiver = fmt::format("bench-{}-{}-r", run->id, name),
                          .window = window};
    auto sender = co_await log_in(run->cluster, *worker, options.sender, index);
    if (!sender) co_return std::unexpected(sender.error());
    auto receiver = co_await log_in(run->cluster, *worker, options.receiver, index + 1);
    if (!receiver) co_return std::unexpected(receiver.error());
    *pair = std::make_unique<Pair>(std::move(options), run->content, *worker, run->shared, std::move(*sender),
                                   std::move(*receiver));
    co_return Status{};
  }

  Report report(Measured measured) {
    Report report{.bench = "c2c", .operations = measured.operations, .cost = std::move(measured.cost)};
    report.parameters = {{"pairs", std::int64_t{options_.pairs}}};
    add_load(report, run_.load);
    Faults faults;
    Totals totals;
    std::uint64_t redelivered = 0;
    std::uint64_t pulls = 0;
    for (const auto& pair : pairs_) {
      totals.add(pair->check(), pair->window());
      faults += pair->faults();
      redelivered += pair->receiver().redelivered();
      pulls += pair->receiver().pulls();
    }
    report.times = {{"ack", std::move(totals.acks)}, {"delivery", std::move(totals.deliveries)}};
    add_totals(report, totals, run_.shared);
    report.results.emplace_back("delivered", static_cast<std::int64_t>(totals.delivered));
    report.results.emplace_back("pushed_again", static_cast<std::int64_t>(redelivered));
    report.results.emplace_back("pulls", static_cast<std::int64_t>(pulls));
    std::uint64_t heavy = 0;
    for (const auto& pair : heavy_pairs_) {
      heavy += pair->check().count_acknowledged();
      faults += pair->faults();
    }
    if (!heavy_pairs_.empty())
      report.results.emplace_back("heavy_acknowledged", static_cast<std::int64_t>(heavy));
    report.add_faults(faults);
    return report;
  }

  const C2cOptions& options_;
  LoadRun run_;
  Fleet heavy_fleet_;
  Pairs pairs_;
  Pairs heavy_pairs_;
};

}  // namespace

Result<Report> run_c2c(const Cluster& cluster, const C2cOptions& options) {
  auto alone = Run(cluster, options, /*heavy=*/false).run();
  if (options.heavy_senders == 0 || !alone || !alone->clean()) return alone;
  auto flooded = Run(cluster, options, /*heavy=*/true).run();
  if (!flooded) return flooded;
  flooded->parameters.emplace_back("heavy_senders", std::int64_t{options.heavy_senders});
  flooded->parameters.emplace_back("heavy_window", static_cast<std::int64_t>(options.heavy_window));
  for (auto& [name, times] : alone->times) flooded->times.emplace_back(name + "_alone", std::move(times));
  return flooded;
}

}  // namespace hongyan::bench
