#include "tools/bench/c2c.h"

#include <fmt/format.h>

#include "tools/bench/pair.h"
#include "tools/bench/senders.h"

namespace hongyan::bench {

namespace {

class Run {
 public:
  Run(const Cluster& cluster, const C2cOptions& options)
      : cluster_(cluster),
        options_(options),
        content_(options.load.size),
        fleet_(options.load.loops),
        pairs_(static_cast<std::size_t>(options.pairs)) {}
  ~Run() { fleet_.stop(); }

  Result<Report> run() {
    const LoadOptions& load = options_.load;
    remark(load.progress, fmt::format("logging in {} users", 2 * options_.pairs));
    const Status status = fleet_.for_each(options_.pairs, kLoginsAtOnce, [this](Worker& worker, int index) {
      return make_pair(this, &worker, static_cast<std::size_t>(index));
    });
    if (!status) return std::unexpected(status.error());
    start_senders(fleet_, shared_, load, pairs_, pacers_);
    auto measured = run_phases(shared_, cluster_, load, [this] { return all_idle(fleet_, pairs_); });
    if (!measured) return std::unexpected(measured.error());
    fleet_.on_each_of(pairs_, [](Worker&, Pair& pair) { pair.close(); });
    return report(std::move(*measured));
  }

 private:
  static net::Awaitable<Status> make_pair(Run* run, Worker* worker, std::size_t index) {
    Pair::Options options{.id = fmt::format("{}-{}-", run->id_, index),
                          .sender = fmt::format("bench-{}-{}-s", run->id_, index),
                          .receiver = fmt::format("bench-{}-{}-r", run->id_, index),
                          .window = run->options_.load.window};
    auto sender = co_await log_in(run->cluster_, *worker, options.sender, index);
    if (!sender) co_return std::unexpected(sender.error());
    auto receiver = co_await log_in(run->cluster_, *worker, options.receiver, index + 1);
    if (!receiver) co_return std::unexpected(receiver.error());
    run->pairs_[index] = std::make_unique<Pair>(std::move(options), run->content_, *worker, run->shared_,
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
    report.add_faults(faults);
    return report;
  }

  const Cluster& cluster_;
  const C2cOptions& options_;
  const std::string id_ = random_run_id();
  const Content content_;
  Shared shared_;
  Fleet fleet_;
  std::vector<std::unique_ptr<Pair>> pairs_;  // by index; each on its loop
  std::vector<std::unique_ptr<Pacer>> pacers_;
};

}  // namespace

Result<Report> run_c2c(const Cluster& cluster, const C2cOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
