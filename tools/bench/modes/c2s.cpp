#include "tools/bench/modes/c2s.h"

#include <fmt/format.h>

#include "tools/bench/actors/uploader.h"
#include "tools/bench/actors/users.h"
#include "tools/bench/modes/senders.h"

namespace hongyan::bench {

namespace {

class Run {
 public:
  Run(const Cluster& cluster, const C2sOptions& options)
      : cluster_(cluster),
        options_(options),
        content_(options.load.size),
        fleet_(options.load.loops),
        uploaders_(static_cast<std::size_t>(options.users)) {}
  ~Run() { fleet_.stop(); }

  Result<Report> run() {
    const LoadOptions& load = options_.load;
    remark(load.progress, fmt::format("logging in {} users", options_.users));
    const Status status = fleet_.for_each(options_.users, kLoginsAtOnce, [this](Worker& worker, int index) {
      return make_uploader(this, &worker, static_cast<std::size_t>(index));
    });
    if (!status) return std::unexpected(status.error());
    start_senders(fleet_, shared_, load, uploaders_, pacers_);
    auto measured = run_phases(shared_, cluster_, load, [this] { return all_idle(fleet_, uploaders_); });
    if (!measured) return std::unexpected(measured.error());
    fleet_.on_each_of(uploaders_, [](Worker&, Uploader& uploader) { uploader.close(); });
    return report(std::move(*measured));
  }

 private:
  static net::Awaitable<Status> make_uploader(Run* run, Worker* worker, std::size_t index) {
    auto user = co_await log_in(run->cluster_, *worker, fmt::format("bench-{}-{}", run->id_, index), index);
    if (!user) co_return std::unexpected(user.error());
    run->uploaders_[index] =
        std::make_unique<Uploader>(Uploader::Options{.id = fmt::format("{}-{}-", run->id_, index),
                                                     .destination = run->options_.destination,
                                                     .window = run->options_.load.window},
                                   run->content_, *worker, run->shared_, std::move(user->connection));
    co_return Status{};
  }

  Report report(Measured measured) {
    Report report{.bench = "c2s", .operations = measured.operations, .cost = std::move(measured.cost)};
    report.parameters = {{"users", std::int64_t{options_.users}}, {"destination", options_.destination}};
    add_load(report, options_.load);
    Histogram acks;
    Faults faults;
    Totals totals;
    for (const auto& uploader : uploaders_) {
      totals.add(uploader->check(), uploader->window());
      acks.add(uploader->window().ack_times());
      faults += uploader->check().faults();
    }
    report.times = {{"ack", std::move(acks)}};
    add_totals(report, totals, shared_);
    report.faults = {{"unanswered", static_cast<std::int64_t>(faults.unanswered)}};
    return report;
  }

  const Cluster& cluster_;
  const C2sOptions& options_;
  const std::string id_ = random_run_id();
  const Content content_;
  Shared shared_;
  Fleet fleet_;
  std::vector<std::unique_ptr<Uploader>> uploaders_;  // by index; each on its loop
  std::vector<std::unique_ptr<Pacer>> pacers_;
};

}  // namespace

Result<Report> run_c2s(const Cluster& cluster, const C2sOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
