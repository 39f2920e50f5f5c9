#include "tools/bench/modes/login.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/bench/actors/fleet.h"

namespace hongyan::bench {

namespace {

constexpr std::uint32_t kLeastRetryMs = 50;

bool may_be_repeated(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kRateLimited ||
         error.code == Code::kDeadlineExceeded;
}

class Run {
 public:
  Run(const Cluster& cluster, const LoginOptions& options)
      : cluster_(cluster), options_(options), fleet_(options.load.loops), times_(fleet_.size()) {}
  ~Run() { fleet_.stop(); }

  Result<Report> run() {
    const int users = std::max(options_.users, options_.connections);
    for (int i = 0; i < users; ++i) {
      std::string uid = fmt::format("bench-{}-{}", id_, i);
      auto token = sign_token(cluster_, uid);
      if (!token) return std::unexpected(token.error());
      users_.push_back({.uid = std::move(uid), .token = std::move(*token)});
    }
    lanes_ = options_.connections;
    fleet_.on_each([this](Worker& worker) {
      for (int i = static_cast<int>(worker.number); i < options_.connections;
           i += static_cast<int>(fleet_.size())) {
        worker.loop.spawn("bench login", lane(this, &worker, static_cast<std::size_t>(i)));
      }
    });
    auto measured = run_phases(shared_, cluster_, options_.load, [this] { return lanes_ == 0; });
    if (!measured) return std::unexpected(measured.error());
    return report(std::move(*measured));
  }

 private:
  struct Account {
    std::string uid;
    std::string token;
  };
  struct Times {
    Histogram login;   // from the connect to the answer of AUTH
    Histogram logout;  // from LOGOUT to the server's close
  };

  // Logs its own users in and out, one after the other, until the drain.
  static net::Awaitable<> lane(Run* run, Worker* worker, std::size_t first) {
    std::size_t user = first;
    while (run->shared_.phase != Phase::kDrain && !run->shared_.broken) {
      const Status status = co_await run->cycle(worker, user);
      user += static_cast<std::size_t>(run->options_.connections);
      if (user >= run->users_.size()) user = first;
      if (status) continue;
      if (!may_be_repeated(status.error())) run->shared_.give_up(status.error().message);
      run->shared_.refused.fetch_add(1);
      co_await net::sleep_for(Milliseconds(std::max(kLeastRetryMs, status.error().retry_after_ms)));
    }
    run->lanes_.fetch_sub(1);
  }

  net::Awaitable<Status> cycle(Worker* worker, std::size_t user) {
    const bool measured = shared_.phase == Phase::kMeasure;
    const auto began = SteadyClock::now();
    auto connection = std::make_shared<Connection>(worker->io);
    const auto login = co_await connection->log_in({.gate = cluster_.gate_of(user),
                                                    .transports = cluster_.transports,
                                                    .app_id = cluster_.app_id,
                                                    .uid = users_[user].uid,
                                                    .token = users_[user].token});
    if (!login) co_return std::unexpected(login.error());
    const auto logged_in = SteadyClock::now();
    Status status = co_await connection->log_out();
    if (!status) co_return status;
    shared_.finished.fetch_add(1);
    if (measured) {
      Times& times = times_[worker->number];
      times.login.record_since(began, logged_in);
      times.logout.record_since(logged_in, SteadyClock::now());
    }
    co_return Status{};
  }

  Report report(Measured measured) {
    Report report{.bench = "login",
                  .unit = "login",
                  .operations = measured.operations,
                  .cost = std::move(measured.cost)};
    report.parameters = {{"connections", std::int64_t{options_.connections}},
                         {"users", static_cast<std::int64_t>(users_.size())},
                         {"seconds", options_.load.seconds}};
    Times all;
    for (const Times& times : times_) {
      all.login.add(times.login);
      all.logout.add(times.logout);
    }
    report.times = {{"login", std::move(all.login)}, {"logout", std::move(all.logout)}};
    report.results = {{"refused", static_cast<std::int64_t>(shared_.refused.load())}};
    report.faults = {{"stuck", std::int64_t{lanes_.load()}}};
    return report;
  }

  const Cluster& cluster_;
  const LoginOptions& options_;
  const std::string id_ = random_run_id();
  std::vector<Account> users_ = {};
  Shared shared_;
  std::atomic<int> lanes_{0};  // that have not ended
  Fleet fleet_;
  std::vector<Times> times_;  // by loop
};

}  // namespace

Result<Report> run_login(const Cluster& cluster, const LoginOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
