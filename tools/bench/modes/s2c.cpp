#include "tools/bench/modes/s2c.h"

#include <fmt/format.h>

#include "tools/bench/actors/service.h"
#include "tools/bench/modes/senders.h"

namespace hongyan::bench {

namespace {

class Run {
 public:
  Run(const Cluster& cluster, const S2cOptions& options)
      : cluster_(cluster),
        options_(options),
        content_(options.load.size),
        fleet_(options.load.loops),
        services_(static_cast<std::size_t>(options.services)) {}
  ~Run() { fleet_.stop(); }

  Result<Report> run() {
    auto url = http::parse_url(cluster_.api + "/v1/messages");
    if (!url) return fail(Code::kBadRequest, "HONGYAN_API: " + url.error().message);
    url_ = std::move(*url);
    LoadOptions load = options_.load;
    load.rate /= options_.targets;  // of calls
    remark(load.progress, fmt::format("logging in {} users", options_.services * options_.targets));
    const Status status =
        fleet_.for_each(options_.services, kLoginsAtOnce, [this](Worker& worker, int index) {
          return make_service(this, &worker, static_cast<std::size_t>(index));
        });
    if (!status) return std::unexpected(status.error());
    start_senders(fleet_, shared_, load, services_, pacers_);
    auto measured = run_phases(shared_, cluster_, load, [this] { return all_idle(fleet_, services_); });
    if (!measured) return std::unexpected(measured.error());
    fleet_.on_each_of(services_, [](Worker&, Service& service) { service.close(); });
    return report(std::move(*measured));
  }

 private:
  static net::Awaitable<Status> make_service(Run* run, Worker* worker, std::size_t index) {
    Service::Options options{.id = fmt::format("{}-{}-", run->id_, index),
                             .from = fmt::format("bench-{}-{}-service", run->id_, index),
                             .targets = {},
                             .window = run->options_.load.window};
    std::vector<User> targets;
    for (int i = 0; i < run->options_.targets; ++i) {
      options.targets.push_back(fmt::format("bench-{}-{}-{}", run->id_, index, i));
      auto user = co_await log_in(run->cluster_, *worker, options.targets.back(),
                                  index + static_cast<std::size_t>(i));
      if (!user) co_return std::unexpected(user.error());
      targets.push_back(std::move(*user));
    }
    auto caller = std::make_shared<HttpCaller>(worker->loop);
    Status connected = co_await caller->connect(run->url_, run->cluster_.api_key);
    if (!connected) co_return connected;
    run->services_[index] = std::make_unique<Service>(std::move(options), run->content_, *worker,
                                                      run->shared_, std::move(caller), std::move(targets));
    co_return Status{};
  }

  Report report(Measured measured) {
    const auto targets = static_cast<std::uint64_t>(options_.targets);
    Report report{
        .bench = "s2c", .operations = measured.operations * targets, .cost = std::move(measured.cost)};
    report.parameters = {{"services", std::int64_t{options_.services}},
                         {"targets", std::int64_t{options_.targets}}};
    add_load(report, options_.load);
    Histogram acks;
    Histogram deliveries;
    Faults faults;
    Totals totals;
    std::uint64_t redelivered = 0;
    for (const auto& service : services_) {
      acks.add(service->window().ack_times());
      deliveries.add(service->window().delivery_times());
      faults += service->faults();
      totals.sent += service->calls() * targets;
      totals.delivered += service->delivered();
      totals.missed += service->window().missed() * targets;
      redelivered += service->redelivered();
    }
    totals.acknowledged = totals.sent - faults.unanswered;
    report.times = {{"ack", std::move(acks)}, {"delivery", std::move(deliveries)}};
    add_totals(report, totals, shared_);
    report.results.emplace_back("delivered", static_cast<std::int64_t>(totals.delivered));
    report.results.emplace_back("pushed_again", static_cast<std::int64_t>(redelivered));
    report.add_faults(faults);
    return report;
  }

  const Cluster& cluster_;
  const S2cOptions& options_;
  const std::string id_ = random_run_id();
  const Content content_;
  http::Url url_;
  Shared shared_;
  Fleet fleet_;
  std::vector<std::unique_ptr<Service>> services_;  // by index; each on its loop
  std::vector<std::unique_ptr<Pacer>> pacers_;
};

}  // namespace

Result<Report> run_s2c(const Cluster& cluster, const S2cOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
