#include "tools/bench/modes/idle.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/bench/actors/users.h"

namespace hongyan::bench {

namespace {

constexpr std::uint32_t kHeartbeatSeq = 5;
constexpr std::chrono::milliseconds kTick{100};
constexpr double kAnswerSeconds = 5;

// The idle connections of one loop. Its loop only.
class Holder {
 public:
  Holder(Worker& worker, Shared& shared) : shared_(shared), timer_(worker.loop.executor()) {}

  void add(std::shared_ptr<Connection> connection) {
    connection->run({.on_packet = [this](const net::Packet& packet) { on_packet(packet); },
                     .on_lost = [this](const std::string&) { ++lost_; }});
    sessions_.push_back({.connection = std::move(connection), .next = {}});
  }

  // Spreads the heartbeats of all connections evenly over the interval.
  void start(std::chrono::duration<double> heartbeat) {
    heartbeat_ = std::chrono::duration_cast<SteadyClock::duration>(heartbeat);
    const auto now = SteadyClock::now();
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      sessions_[i].next =
          now + heartbeat_ * static_cast<std::int64_t>(i + 1) / static_cast<std::int64_t>(sessions_.size());
    }
    tick();
  }

  void stop() { stopped_ = true; }
  void close() {
    for (auto& session : sessions_) session.connection->close();
  }

  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  struct Session {
    std::shared_ptr<Connection> connection;
    SteadyTime next;
  };

  void tick() {
    if (stopped_) return;
    const auto now = SteadyClock::now();
    for (Session& session : sessions_) {
      if (session.next > now) continue;
      session.next += heartbeat_;
      session.connection->queue(client::COMMAND_NOOP, kHeartbeatSeq);
      ++sent_;
    }
    timer_.expires_after(kTick);
    timer_.async_wait([this](net::error_code ec) {
      if (!ec) tick();
    });
  }

  void on_packet(const net::Packet& packet) {
    if (packet.header.cmd_id == client::COMMAND_NOOP) {
      ++answered_;
      shared_.finished.fetch_add(1, std::memory_order_relaxed);
    }
  }

  Shared& shared_;
  net::Timer timer_;
  std::vector<Session> sessions_ = {};
  SteadyClock::duration heartbeat_{};
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t lost_ = 0;
  bool stopped_ = false;
};

struct Counts {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;
};

class Run {
 public:
  Run(const Cluster& cluster, const IdleOptions& options)
      : cluster_(cluster), options_(options), fleet_(options.load.loops) {}
  ~Run() { fleet_.stop(); }

  Result<Report> run() {
    if (Status status = allow_connections(options_.connections); !status)
      return std::unexpected(status.error());
    fleet_.on_each([this](Worker& worker) { holders_.push_back(std::make_unique<Holder>(worker, shared_)); });
    remark(options_.load.progress, fmt::format("logging in {} users", options_.connections));
    const Meter logins(cluster_);
    const Status status =
        fleet_.for_each(options_.connections, kLoginsAtOnce,
                        [this](Worker& worker, int index) { return add(this, &worker, index); });
    if (!status) return std::unexpected(status.error());
    const Cost login_cost = logins.stop();
    const double heartbeat = options_.heartbeat > 0 ? options_.heartbeat : heartbeat_seconds_.load();
    if (heartbeat <= 0) return fail(Code::kInternal, "AuthResp names no heartbeat");
    fleet_.on_each_of(
        holders_, [&](Worker&, Holder& holder) { holder.start(std::chrono::duration<double>(heartbeat)); });
    const Meter meter(cluster_);
    watch(shared_, options_.load.progress, "idle", options_.load.seconds);
    Cost cost = meter.stop();
    fleet_.on_each_of(holders_, [](Worker&, Holder& holder) { holder.stop(); });
    watch(shared_, options_.load.progress, "drain", kAnswerSeconds,
          [this] { return counts().sent == counts().answered; });
    const Counts end = counts();
    fleet_.on_each_of(holders_, [](Worker&, Holder& holder) { holder.close(); });
    return report(login_cost, std::move(cost), heartbeat, end);
  }

 private:
  static net::Awaitable<Status> add(Run* run, Worker* worker, int index) {
    const auto number = static_cast<std::size_t>(index);
    const auto& gate = run->cluster_.gate_of(number);
    auto user = co_await log_in(run->cluster_, *worker, fmt::format("bench-{}-{}", run->id_, index), number,
                                client::DEVICE_TYPE_LINUX, source_of(gate, index));
    if (!user) co_return std::unexpected(user.error());
    run->heartbeat_seconds_ = user->login.heartbeat_seconds();
    run->holders_[worker->number]->add(std::move(user->connection));
    run->shared_.finished.fetch_add(1);
    co_return Status{};
  }

  Counts counts() {
    Counts counts;
    fleet_.on_each_of(holders_, [&](Worker&, Holder& holder) {
      counts.sent += holder.sent();
      counts.answered += holder.answered();
      counts.lost += holder.lost();
    });
    return counts;
  }

  // memory: what the logins added, a connection.
  Report report(const Cost& logins, Cost cost, double heartbeat, const Counts& counts) const {
    Report report{.bench = "idle",
                  .unit = "connection",
                  .operations = static_cast<std::uint64_t>(options_.connections),
                  .cost = std::move(cost)};
    report.parameters = {{"connections", std::int64_t{options_.connections}},
                         {"seconds", options_.load.seconds},
                         {"heartbeat_seconds", heartbeat}};
    const double connections = options_.connections;
    const auto add = [&](const std::string& name, const std::string& kind, auto value_of, const Cost& of) {
      double sum = 0;
      for (const auto& process : of.processes) {
        if (process.name.starts_with(kind + "-")) sum += value_of(process);
      }
      report.results.emplace_back(kind + "_" + name, sum / connections);
    };
    for (const std::string kind : {"gate", "logic"}) {
      add(
          "bytes_per_connection", kind,
          [](const Cost::Process& p) {
            return static_cast<double>(p.memory_after) - static_cast<double>(p.memory_before);
          },
          logins);
      add(
          "login_cpu_us_per_connection", kind, [](const Cost::Process& p) { return p.cpu_seconds * 1e6; },
          logins);
      add(
          "idle_cpu_us_per_connection_and_second", kind,
          [&](const Cost::Process& p) { return p.cpu_seconds * 1e6 / report.cost.seconds; }, report.cost);
    }
    report.results.emplace_back("logins_per_s", connections / logins.seconds);
    report.results.emplace_back("heartbeats", static_cast<std::int64_t>(counts.sent));
    report.faults = {{"lost_connections", static_cast<std::int64_t>(counts.lost)},
                     {"heartbeats_unanswered", static_cast<std::int64_t>(counts.sent - counts.answered)}};
    return report;
  }

  const Cluster& cluster_;
  const IdleOptions& options_;
  const std::string id_ = random_run_id();
  std::atomic<std::uint32_t> heartbeat_seconds_{0};
  Shared shared_;
  Fleet fleet_;
  std::vector<std::unique_ptr<Holder>> holders_ = {};  // by loop
};

}  // namespace

Result<Report> run_idle(const Cluster& cluster, const IdleOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
