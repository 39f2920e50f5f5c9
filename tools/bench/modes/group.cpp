#include "tools/bench/modes/group.h"

#include <fmt/format.h>

#include <map>

#include "tools/bench/actors/crowd.h"
#include "tools/bench/actors/group_maker.h"
#include "tools/bench/actors/member.h"
#include "tools/bench/actors/users.h"
#include "tools/bench/modes/load_run.h"

namespace hongyan::bench {

namespace {

// What start_senders() and all_idle() want of a sender.
struct Talker {
  Sender& sender;

  void start(std::optional<Schedule> schedule) { sender.begin(schedule); }
  void send(SteadyTime now) { sender.send(now); }
  void close() {}  // its member does
  [[nodiscard]] const Window& window() const noexcept { return sender.window(); }
};

// Group g, its members and senders live on loop g % loops. Lists go member by member, in each group by group,
// so that entry i is of group i % groups.
class Run {
 public:
  Run(const Cluster& cluster, const GroupOptions& options)
      : options_(options),
        run_(cluster, options.load),
        crowds_(static_cast<std::size_t>(options.groups)),
        owners_(crowds_.size()),
        members_(crowds_.size() * static_cast<std::size_t>(options.members)),
        talkers_(crowds_.size() * static_cast<std::size_t>(options.senders)) {}
  ~Run() { run_.fleet.stop(); }

  Result<Report> run() {
    if (Status status = check_options(); !status) return std::unexpected(status.error());
    const int users = options_.groups * options_.members;
    remark(run_.load.progress, fmt::format("making {} groups", options_.groups));
    Status status = run_.fleet.for_each(options_.groups, kLoginsAtOnce, [this](Worker& worker, int index) {
      return make_crowd(this, &worker, static_cast<std::size_t>(index));
    });
    if (!status) return std::unexpected(status.error());
    status = run_.log_in(users, users, [this](Worker& worker, int index) {
      return make_member(this, &worker, static_cast<std::size_t>(index));
    });
    if (!status) return std::unexpected(status.error());
    run_.fleet.on_each_of(members_, [](Worker&, Member& member) { member.start(); });
    auto measured = run_.drive(talkers_);
    if (!measured) return std::unexpected(measured.error());
    run_.fleet.on_each_of(members_, [](Worker&, Member& member) { member.close(); });
    return report(std::move(*measured));
  }

 private:
  [[nodiscard]] Status check_options() const {
    if (options_.senders > options_.members) return fail(Code::kBadRequest, "more --senders than --members");
    if (options_.groups % run_.load.loops != 0) {
      return fail(Code::kBadRequest, "--groups is no multiple of --loops: a group lives on one loop");
    }
    return allow_connections(options_.groups * options_.members);
  }

  [[nodiscard]] std::string uid(std::size_t group, int member) const {
    return fmt::format("bench-{}-{}-{}", run_.id, group, member);
  }
  [[nodiscard]] net::Awaitable<Result<User>> log_in_member(Worker& worker, std::size_t index) {
    const std::size_t group = index % crowds_.size();
    const auto member = static_cast<int>(index / crowds_.size());
    return log_in(run_.cluster, worker, uid(group, member), index, client::DEVICE_TYPE_LINUX,
                  source_of(run_.cluster.gate_of(index), static_cast<int>(index)));
  }

  static net::Awaitable<Status> make_crowd(Run* self, Worker* worker, std::size_t index) {
    auto owner = co_await self->log_in_member(*worker, index);
    if (!owner) co_return std::unexpected(owner.error());
    auto group = co_await make_group(owner->connection, fmt::format("bench-{}-{}", self->run_.id, index),
                                     self->options_.members,
                                     [self, index](int member) { return self->uid(index, member); });
    if (!group) co_return std::unexpected(group.error());
    if (group->large()) self->large_ = true;
    self->crowds_[index] =
        std::make_unique<Crowd>(Crowd::Options{.id = fmt::format("{}-{}-", self->run_.id, index),
                                               .group_id = group->group_id(),
                                               .members = static_cast<std::size_t>(self->options_.members),
                                               .window = self->run_.load.window},
                                self->run_.content, *worker, self->run_.shared);
    self->owners_[index] = std::move(*owner);
    co_return Status{};
  }

  static net::Awaitable<Status> make_member(Run* self, Worker* worker, std::size_t index) {
    const std::size_t groups = self->crowds_.size();
    Crowd& crowd = *self->crowds_[index % groups];
    const bool owner = index < groups;
    auto user =
        owner ? Result<User>(std::move(self->owners_[index])) : co_await self->log_in_member(*worker, index);
    if (!user) co_return std::unexpected(user.error());
    const std::string name = self->uid(index % groups, static_cast<int>(index / groups));
    Sender* sender = nullptr;
    if (index < self->talkers_.size()) {
      sender = &crowd.add_sender(name, user->connection);
      self->talkers_[index] = std::make_unique<Talker>(*sender);
    }
    self->members_[index] = std::make_unique<Member>(
        Member::Options{.number = index / groups, .uid = name, .held = user->login.inbox_seq()}, crowd,
        std::move(user->connection), sender);
    co_return co_await self->members_[index]->catch_up();
  }

  Report report(Measured measured) {
    Report report{.bench = "group", .operations = measured.operations, .cost = std::move(measured.cost)};
    report.parameters = {{"groups", std::int64_t{options_.groups}},
                         {"members", std::int64_t{options_.members}},
                         {"senders", std::int64_t{options_.senders}},
                         {"large", std::int64_t{large_ ? 1 : 0}}};
    add_load(report, run_.load);
    Histogram deliveries;
    Faults faults;
    Totals totals;
    for (const auto& crowd : crowds_) {
      for (const auto& of : crowd->senders()) {
        totals.add(of->check, of->sender->window());
      }
      deliveries.add(crowd->delivery_times());
      faults += crowd->faults();
    }
    report.times = {{"ack", std::move(totals.acks)},
                    {"delivery", std::move(deliveries)},
                    {"all_delivered", std::move(totals.deliveries)}};
    add_totals(report, totals, run_.shared);
    add_deliveries(report);
    report.add_faults(faults);
    return report;
  }

  void add_deliveries(Report& report) const {
    std::uint64_t delivered = 0;
    std::uint64_t redelivered = 0;
    std::uint64_t pulls = 0;
    for (const auto& crowd : crowds_) delivered += crowd->deliveries();
    for (const auto& member : members_) {
      redelivered += member->redelivered();
      pulls += member->pulls();
    }
    report.results.emplace_back("delivered", static_cast<std::int64_t>(delivered));
    report.results.emplace_back("pushed_again", static_cast<std::int64_t>(redelivered));
    report.results.emplace_back("pulls", static_cast<std::int64_t>(pulls));
    const double measured = static_cast<double>(report.operations) * options_.members;
    report.results.emplace_back("deliveries_per_s", measured / report.cost.seconds);
    std::map<std::string, double> seconds_of;
    for (const auto& process : report.cost.processes) {
      seconds_of[process.name.substr(0, process.name.find('-'))] += process.cpu_seconds;
    }
    seconds_of["server"] = report.cost.server_cpu_seconds();
    for (const auto& [kind, seconds] : seconds_of) {
      report.results.emplace_back(kind + "_us_per_delivery", measured > 0 ? seconds * 1e6 / measured : 0);
    }
  }

  const GroupOptions& options_;
  std::atomic<bool> large_{false};
  LoadRun run_;
  std::vector<std::unique_ptr<Crowd>> crowds_;
  std::vector<User> owners_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::unique_ptr<Talker>> talkers_;
};

}  // namespace

Result<Report> run_group(const Cluster& cluster, const GroupOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
