#include "tools/bench/modes/c2c.h"

#include <fmt/format.h>

#include "tools/bench/actors/pair.h"
#include "tools/bench/modes/senders.h"

namespace hongyan::bench {

namespace {

class Run {
 public:
  // heavy: whether the heavy senders take part.
  Run(const Cluster& cluster, const C2cOptions& options, bool heavy)
      : cluster_(cluster),
        options_(options),
        content_(options.load.size),
        fleet_(options.load.loops),
        heavy_fleet_(1),
        pairs_(static_cast<std::size_t>(options.pairs)),
        heavy_pairs_(heavy ? static_cast<std::size_t>(options.heavy_senders) : 0) {}
  ~Run() {
    fleet_.stop();
    heavy_fleet_.stop();
  }

  Result<Report> run() {
    const LoadOptions& load = options_.load;
    remark(load.progress, fmt::format("logging in {} users", 2 * options_.pairs));
    Status status = make_pairs(fleet_, pairs_, "", load.window);
    if (status) status = make_pairs(heavy_fleet_, heavy_pairs_, "h", options_.heavy_window);
    if (!status) return std::unexpected(status.error());
    start_senders(fleet_, shared_, load, pairs_, pacers_);
    heavy_fleet_.on_each_of(heavy_pairs_, [](Worker&, Pair& pair) { pair.start(std::nullopt); });
    auto measured = run_phases(shared_, cluster_, load, [this] {
      return all_idle(fleet_, pairs_) && all_idle(heavy_fleet_, heavy_pairs_);
    });
    if (!measured) return std::unexpected(measured.error());
    fleet_.on_each_of(pairs_, [](Worker&, Pair& pair) { pair.close(); });
    heavy_fleet_.on_each_of(heavy_pairs_, [](Worker&, Pair& pair) { pair.close(); });
    return report(std::move(*measured));
  }

 private:
  using Pairs = std::vector<std::unique_ptr<Pair>>;  // by index; each on its loop

  Status make_pairs(Fleet& fleet, Pairs& pairs, const std::string& kind, std::size_t window) {
    return fleet.for_each(static_cast<int>(pairs.size()), kLoginsAtOnce, [&](Worker& worker, int index) {
      return make_pair(this, &worker, &pairs[static_cast<std::size_t>(index)],
                       fmt::format("{}{}", kind, index), index, window);
    });
  }

  static net::Awaitable<Status> make_pair(Run* run, Worker* worker, std::unique_ptr<Pair>* pair,
                                          std::string name, int index, std::size_t window) {
    Pair::Options options{.id = fmt::format("{}-{}-", run->id_, name),
                          .sender = fmt::format("bench-{}-{}-s", run->id_, name),
                          .receiver = fmt::format("bench-{}-{}-r", run->id_, name),
                          .window = window};
    auto sender = co_await log_in(run->cluster_, *worker, options.sender, index);
    if (!sender) co_return std::unexpected(sender.error());
    auto receiver = co_await log_in(run->cluster_, *worker, options.receiver, index + 1);
    if (!receiver) co_return std::unexpected(receiver.error());
    *pair = std::make_unique<Pair>(std::move(options), run->content_, *worker, run->shared_,
                                   std::move(*sender), std::move(*receiver));
    co_return Status{};
  }

  Report report(Measured measured) {
    Report report{.bench = "c2c", .operations = measured.operations, .cost = std::move(measured.cost)};
    report.parameters = {{"pairs", std::int64_t{options_.pairs}}};
    add_load(report, options_.load);
    Histogram acks;
    Histogram deliveries;
    Faults faults;
    Totals totals;
    std::uint64_t redelivered = 0;
    std::uint64_t pulls = 0;
    for (const auto& pair : pairs_) {
      totals.add(pair->check(), pair->window());
      acks.add(pair->window().ack_times());
      deliveries.add(pair->window().delivery_times());
      faults += pair->faults();
      redelivered += pair->receiver().redelivered();
      pulls += pair->receiver().pulls();
    }
    report.times = {{"ack", std::move(acks)}, {"delivery", std::move(deliveries)}};
    add_totals(report, totals, shared_);
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

  const Cluster& cluster_;
  const C2cOptions& options_;
  const std::string id_ = random_run_id();
  const Content content_;
  Shared shared_;
  Fleet fleet_;
  Fleet heavy_fleet_;
  Pairs pairs_;
  Pairs heavy_pairs_;
  std::vector<std::unique_ptr<Pacer>> pacers_;
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
