#include "tools/bench/modes/s2c.h"

#include <fmt/format.h>

#include "tools/bench/actors/service.h"
#include "tools/bench/modes/load_run.h"

namespace hongyan::bench {

namespace {

class Run {
 public:
  Run(const Cluster& cluster, const S2cOptions& options)
      : options_(options),
        run_(cluster, options.load),
        services_(static_cast<std::size_t>(options.services)) {
    run_.load.rate /= options.targets;  // of calls
  }
  ~Run() { run_.fleet.stop(); }

  Result<Report> run() {
    auto url = http::parse_url(run_.cluster.api + "/v1/messages");
    if (!url) return fail(Code::kBadRequest, "HONGYAN_API: " + url.error().message);
    url_ = std::move(*url);
    const Status status = run_.log_in(options_.services, options_.services * options_.targets,
                                      [this](Worker& worker, int index) {
                                        return make_service(this, &worker, static_cast<std::size_t>(index));
                                      });
    if (!status) return std::unexpected(status.error());
    auto measured = run_.drive(services_);
    if (!measured) return std::unexpected(measured.error());
    return report(std::move(*measured));
  }

 private:
  static net::Awaitable<Status> make_service(Run* self, Worker* worker, std::size_t index) {
    LoadRun& run = self->run_;
    Service::Options options{.id = fmt::format("{}-{}-", run.id, index),
                             .from = fmt::format("bench-{}-{}-service", run.id, index),
                             .targets = {},
                             .window = run.load.window};
    std::vector<User> targets;
    for (int i = 0; i < self->options_.targets; ++i) {
      options.targets.push_back(fmt::format("bench-{}-{}-{}", run.id, index, i));
      auto user =
          co_await log_in(run.cluster, *worker, options.targets.back(), index + static_cast<std::size_t>(i));
      if (!user) co_return std::unexpected(user.error());
      targets.push_back(std::move(*user));
    }
    auto caller = std::make_shared<HttpCaller>(worker->loop);
    Status connected = co_await caller->connect(self->url_, run.cluster.api_key);
    if (!connected) co_return connected;
    self->services_[index] = std::make_unique<Service>(std::move(options), run.content, *worker, run.shared,
                                                       std::move(caller), std::move(targets));
    co_return Status{};
  }

  Report report(Measured measured) {
    const auto targets = static_cast<std::uint64_t>(options_.targets);
    Report report{
        .bench = "s2c", .operations = measured.operations * targets, .cost = std::move(measured.cost)};
    report.parameters = {{"services", std::int64_t{options_.services}},
                         {"targets", std::int64_t{options_.targets}}};
    add_load(report, options_.load);
    Faults faults;
    Totals totals;
    std::uint64_t redelivered = 0;
    for (const auto& service : services_) {
      totals.add_times(service->window());
      faults += service->faults();
      totals.sent += service->calls() * targets;
      totals.delivered += service->delivered();
      totals.missed += service->window().missed() * targets;
      redelivered += service->redelivered();
    }
    totals.acknowledged = totals.sent - faults.unanswered;
    report.times = {{"ack", std::move(totals.acks)}, {"delivery", std::move(totals.deliveries)}};
    add_totals(report, totals, run_.shared);
    report.results.emplace_back("delivered", static_cast<std::int64_t>(totals.delivered));
    report.results.emplace_back("pushed_again", static_cast<std::int64_t>(redelivered));
    report.add_faults(faults);
    return report;
  }

  const S2cOptions& options_;
  http::Url url_ = {};
  LoadRun run_;
  std::vector<std::unique_ptr<Service>> services_;  // by index; each on its loop
};

}  // namespace

Result<Report> run_s2c(const Cluster& cluster, const S2cOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
