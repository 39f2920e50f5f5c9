#include "tools/bench/modes/c2s.h"

#include <fmt/format.h>

#include "tools/bench/actors/uploader.h"
#include "tools/bench/actors/users.h"
#include "tools/bench/modes/load_run.h"

namespace hongyan::bench {

namespace {

class Run {
 public:
  Run(const Cluster& cluster, const C2sOptions& options)
      : options_(options), run_(cluster, options.load), uploaders_(static_cast<std::size_t>(options.users)) {}
  ~Run() { run_.fleet.stop(); }

  Result<Report> run() {
    const Status status = run_.log_in(options_.users, options_.users, [this](Worker& worker, int index) {
      return make_uploader(this, &worker, static_cast<std::size_t>(index));
    });
    if (!status) return std::unexpected(status.error());
    auto measured = run_.drive(uploaders_);
    if (!measured) return std::unexpected(measured.error());
    return report(std::move(*measured));
  }

 private:
  static net::Awaitable<Status> make_uploader(Run* self, Worker* worker, std::size_t index) {
    LoadRun& run = self->run_;
    auto user = co_await log_in(run.cluster, *worker, fmt::format("bench-{}-{}", run.id, index), index);
    if (!user) co_return std::unexpected(user.error());
    self->uploaders_[index] =
        std::make_unique<Uploader>(Uploader::Options{.id = fmt::format("{}-{}-", run.id, index),
                                                     .destination = self->options_.destination,
                                                     .window = run.load.window},
                                   run.content, *worker, run.shared, std::move(user->connection));
    co_return Status{};
  }

  Report report(Measured measured) {
    Report report{.bench = "c2s", .operations = measured.operations, .cost = std::move(measured.cost)};
    report.parameters = {{"users", std::int64_t{options_.users}}, {"destination", options_.destination}};
    add_load(report, run_.load);
    Faults faults;
    Totals totals;
    for (const auto& uploader : uploaders_) {
      totals.add(uploader->check(), uploader->window());
      faults += uploader->check().faults();
    }
    report.times = {{"ack", std::move(totals.acks)}};
    add_totals(report, totals, run_.shared);
    report.faults = {{"unanswered", static_cast<std::int64_t>(faults.unanswered)}};
    return report;
  }

  const C2sOptions& options_;
  LoadRun run_;
  std::vector<std::unique_ptr<Uploader>> uploaders_;  // by index; each on its loop
};

}  // namespace

Result<Report> run_c2s(const Cluster& cluster, const C2sOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
