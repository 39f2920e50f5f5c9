#include "tools/checker/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "common/base/slot.h"
#include "tools/checker/audit.h"
#include "tools/checker/on_loop.h"
#include "tools/checker/onlookers.h"
#include "tools/checker/population.h"
#include "tools/checker/sleeper.h"

namespace hongyan::checker {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kAfterHealing{2};  // traffic goes on so long
constexpr seconds kBackOnline{60};
constexpr seconds kQuiet{2};
constexpr seconds kAuditDeadline{300};
constexpr milliseconds kLook{20};
constexpr milliseconds kPace{2};

class Run {
 public:
  Run(const RunOptions& options, const tools::Cluster& cluster, const Guardian& guardian)
      : options_(options),
        cluster_(cluster),
        guardian_(guardian),
        loop_("checker"),
        traffic_(options.seed, options.users, options.receivers == 0 ? options.users : options.receivers,
                 options.large) {}

  RunResult go() {
    prepare();
    if (!everybody_logs_in() || !groups_are_made()) {
      ++result_.unrepaired;
      finish();
      return std::move(result_);
    }
    loop_.spawn("pace", pace(this));
    if (onlookers_) onlookers_->begin();
    recorder_.history().calm_since = now_micros();
    std::this_thread::sleep_for(std::chrono::duration<double>(options_.calm_seconds));
    under_faults();
    heal();
    audits();
    finish();
    judgement();
    return std::move(result_);
  }

 private:
  template <typename... Args>
  static void say(fmt::format_string<Args...> format, Args&&... args) {
    fmt::print(stderr, "checker: {}\n", fmt::format(format, std::forward<Args>(args)...));
  }
  [[nodiscard]] bool has(Fault fault) const { return options_.faults.contains(fault); }
  // No other faults than these.
  [[nodiscard]] bool only(const std::set<Fault>& some) const {
    return std::ranges::all_of(options_.faults, [&](Fault fault) { return some.contains(fault); });
  }
  [[nodiscard]] bool none_of(const std::set<Fault>& some) const {
    return std::ranges::none_of(options_.faults, [&](Fault fault) { return some.contains(fault); });
  }

  // On the loop; what it returns.
  template <typename F>
  auto on_loop(F f) {
    return checker::on_loop(loop_, std::move(f));
  }
  template <typename F>
  bool wait(milliseconds deadline, F holds) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!on_loop(holds)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(kLook);
    }
    return true;
  }
  // Of the time that the pushes have after healing.
  [[nodiscard]] milliseconds push_time_left() const {
    return std::max(milliseconds(0), milliseconds((recorder_healed_ + kPushDeadline - now_micros()) / 1000));
  }

  // The gates behind a transport, behind proxies when connections are to be cut.
  Carrier carrier(client::TransportKind kind) {
    Carrier made{.transports = client::make_transports(kind, cluster_.variable("HONGYAN_CA")).value(),
                 .gates = {}};
    for (const auto& gate : cluster_.gates(kind)) {
      made.gates.push_back(gate);
      if (has(Fault::kCutClients) || has(Fault::kHalfOpen)) {
        proxies_.push_back(std::make_unique<Proxy>(loop_, gate, options_.seed + proxies_.size()));
        made.gates.back() = proxies_.back()->endpoint();
      }
      gate_ports_[made.gates.back().port] = fmt::format("gate-{}", made.gates.size());
    }
    return made;
  }

  struct Users {
    std::vector<std::string> uids;
    std::vector<std::string> tokens;
  };
  [[nodiscard]] Users made_up(std::string_view kind, std::size_t count) const {
    Users made;
    const std::string prefix = tools::unique(std::string(kind));
    for (std::size_t i = 0; i < count; ++i) {
      made.uids.push_back(fmt::format("{}-{}", prefix, i));
      made.tokens.push_back(cluster_.token(made.uids.back()));
    }
    return made;
  }

  void prepare_onlookers() {
    if (options_.onlookers == 0) return;
    auto [uids, tokens] = made_up("onlooker", options_.onlookers);
    Carrier carrier{.gates = cluster_.gates()};
    for (std::size_t i = 0; i < carrier.gates.size(); ++i)
      gate_ports_[carrier.gates[i].port] = fmt::format("gate-{}", i + 1);
    onlookers_ = std::make_unique<Onlookers>(OnlookersOptions{.uids = std::move(uids),
                                                              .tokens = std::move(tokens),
                                                              .rate = options_.onlooker_rate,
                                                              .app = cluster_.app(),
                                                              .carrier = std::move(carrier),
                                                              .seed = options_.seed});
  }

  void prepare() {
    const auto [uids, tokens] = made_up("user", options_.users);
    loop_.start();
    on_loop([&] {
      PopulationOptions population{.users = options_.users,
                                   .devices = options_.devices,
                                   .racers = has(Fault::kKickRace) ? options_.racers : 0,
                                   .races_alone = options_.faults.size() == 1,
                                   .newcomers = has(Fault::kReconnect) ? options_.newcomers : 0,
                                   .seed = options_.seed,
                                   .app = cluster_.app(),
                                   .carriers = {}};
      for (const auto kind : options_.transports) population.carriers.push_back(carrier(kind));
      if (has(Fault::kNeverRead)) {
        const std::size_t receivers = options_.receivers == 0 ? options_.users : options_.receivers;
        for (std::size_t i = 0; i < std::min(options_.sleepers, receivers); ++i) {
          sleepers_.push_back(std::make_shared<Sleeper>(
              loop_, SleeperOptions{.gate = cluster_.gates()[i % cluster_.gates().size()],
                                    .app = cluster_.app(),
                                    .uid = uids[i],
                                    .token = tokens[i]}));
          sleepers_.back()->start();
        }
      }
      population_ = std::make_unique<Population>(loop_, recorder_, population, uids, tokens);
      population_->start();
    });
    prepare_onlookers();
  }

  bool everybody_logs_in() {
    say("{} users are logging in", options_.users);
    if (wait(kBackOnline, [this] { return population_->offline() == 0; }) && onlookers_log_in()) return true;
    say("not all users could log in before any fault:\n{}",
        on_loop([this] { return population_->offline_reasons(); }));
    return false;
  }

  bool onlookers_log_in() {
    const Micros begun = now_micros();
    while (onlookers_ && !onlookers_->online()) {
      if (now_micros() - begun > std::chrono::microseconds(kBackOnline).count()) return false;
      std::this_thread::sleep_for(kLook);
    }
    return true;
  }

  bool groups_are_made() {
    if (options_.groups.groups + options_.groups.large_groups == 0) return true;
    GroupsOptions options = options_.groups;
    options.seed = options_.seed;
    on_loop([&] {
      groups_ = std::make_unique<Groups>(options, *population_, options_.users);
      groups_->make();
    });
    if (wait(kBackOnline, [this] { return groups_->made() || groups_->failed(); }) && !groups_->failed())
      return true;
    say("not all groups could be made");
    return false;
  }

  static net::Awaitable<> pace(Run* self) {
    const Micros start = now_micros();
    for (std::uint64_t sent = 0; !self->stop_traffic_;) {
      const auto due =
          static_cast<std::uint64_t>(static_cast<double>(now_micros() - start) * self->options_.rate / 1e6);
      for (; sent < due; ++sent) self->population_->send(self->traffic_.next());
      if (self->groups_) self->groups_->act(now_micros() - start);
      const Micros slept = now_micros();
      co_await net::sleep_for(kPace);
      self->result_.longest_lag = std::max(self->result_.longest_lag, now_micros() - slept);
    }
  }

  void under_faults() {
    say("faults for {} s", options_.seconds);
    const bool strikes = std::ranges::any_of(options_.faults, strikes_servers);
    if (strikes) {
      driver_ = std::make_unique<FaultDriver>(
          cluster_, guardian_, Strikes(options_.seed, options_.faults, options_.stop_ms),
          [this] { return on_loop([this] { return population_->offline() == 0; }); });
      driver_->start();
    }
    on_loop([this] {
      recorder_.history().faults_since = now_micros();
      static_cast<void>(recorder_.restart_stall());
      const ProxyFaults faults{.cut = has(Fault::kCutClients) ? options_.cut : 0,
                               .half_open = has(Fault::kHalfOpen) ? options_.half_open : 0};
      for (const auto& proxy : proxies_) proxy->set_faults(faults);
      population_->start_races();
      population_->start_newcomers();
    });
    std::this_thread::sleep_for(std::chrono::duration<double>(options_.seconds));
  }

  void heal() {
    if (driver_) {
      if (!driver_->finish()) ++result_.unrepaired;
      result_.unrepaired += static_cast<std::uint64_t>(driver_->failed());
      result_.strikes = driver_->done();
      result_.slowest_return = driver_->slowest_return();
      result_.late_returns = driver_->late_returns();
    }
    if (onlookers_) timed_ = onlookers_->finish();
    on_loop([this] {
      for (const auto& proxy : proxies_) proxy->heal();
      population_->stop_races();
      population_->stop_newcomers();
      if (driver_) recorder_.history().strikes = driver_->strikes();
      recorder_healed_ = now_micros();
      recorder_.history().healed = recorder_healed_;
      result_.longest_stall = recorder_.restart_stall();
    });
    say("healed; everybody comes back");
    std::this_thread::sleep_for(kAfterHealing);
    on_loop([this] {
      stop_traffic_ = true;
      population_->settle();
    });
    wait(kBackOnline, [this] {
      return population_->races_ended() && population_->newcomers_ended() && population_->offline() == 0;
    });
    result_.offline = on_loop([this] { return population_->offline(); });
    if (result_.offline > 0)
      say("not online:\n{}", on_loop([this] { return population_->offline_reasons(); }));
    result_.races = on_loop([this] { return population_->race_figures(); });
    result_.newcomers = on_loop([this] { return population_->newcomer_figures(); });
    result_.back_after = now_micros() - recorder_healed_;
    on_loop([this] { population_->probe(); });
    wait(seconds(35), [this] { return population_->pending() == 0 && population_->unserved() == 0; });
    result_.unserved = on_loop([this] { return population_->unserved(); });
    wait(push_time_left(), [this] { return population_->behind(/*audited=*/false) == 0; });
    quiet();
  }

  // What is of unknown outcome may still arrive.
  void quiet() {
    std::size_t heads = 0;
    Micros since = now_micros();
    wait(std::chrono::seconds(20), [&] {
      if (recorder_.history().heads.size() != heads) since = now_micros();
      heads = recorder_.history().heads.size();
      return now_micros() - since > std::chrono::microseconds(kQuiet).count();
    });
  }

  void audits() {
    if (!options_.before_pull.empty()) {
      int status = 0;
      static_cast<void>(tools::run_command(options_.before_pull, status));
      if (status != 0) ++result_.unrepaired;
    }
    say("everything is pulled from the start");
    audit(/*in_place=*/false);
    wait(push_time_left(), [this] { return population_->behind(/*audited=*/true) == 0; });
    on_loop([this] { population_->note_online(); });
    wake_sleepers();
    const auto devices = on_loop([this] {
      auto out = population_->auditors(/*in_place=*/true);
      population_->leave();
      return out;
    });
    audit(devices);
  }
  void audit(bool in_place) {
    audit(on_loop([&] { return population_->auditors(in_place); }));
  }
  void audit(std::vector<DeviceOptions> whom) {
    auto audit = on_loop([&] { return std::make_unique<Audit>(loop_, recorder_, std::move(whom)); });
    wait(kAuditDeadline, [&] { return !audit->step(); });
    result_.unpulled += on_loop([&] { return audit->give_up(); });
  }

  void wake_sleepers() {
    if (sleepers_.empty()) return;
    on_loop([this] {
      for (const auto& sleeper : sleepers_) sleeper->wake();
    });
    wait(seconds(30), [this] {
      return std::ranges::all_of(sleepers_, [](const auto& sleeper) { return sleeper->ended(); });
    });
    on_loop([this] {
      for (const auto& sleeper : sleepers_) {
        result_.sleepers_closed += sleeper->closed() ? 1 : 0;
        result_.unread += sleeper->overfed() ? 1 : 0;
      }
    });
  }

  void judgement() {
    using enum Fault;
    History& history = recorder_.history();
    history.pushes_follow = only({kCutClients, kHalfOpen, kKickRace, kReconnect});
    result_.answers_due = none_of({kStopGate, kHalfOpen});
    result_.verdict = judge(history);
    // A user's shard, by the even split of slots that dev-cluster makes.
    std::vector<std::string> servers;
    for (std::size_t shard = 0; shard < cluster_.shards(); ++shard)
      servers.push_back(cluster_.server_of(shard));
    const auto serves = [&](const Struck& strike, const Attempt& attempt) {
      if (strike.server.starts_with("gate-")) return gate_ports_.at(attempt.port) == strike.server;
      if (strike.server.starts_with("mysql-"))
        return servers[slot_of(cluster_.app(), attempt.sender) * servers.size() / kSlotCount] ==
               strike.server;
      return strike.server != "redis";
    };
    result_.prompt = promptness(history, onlookers_ ? timed_ : history.attempts, serves);
    // Where the calm is no calm, or the checker itself was late, the machine has no time, and silence says
    // nothing.
    constexpr Micros kNoTime = kSilence / 5;
    const Micros calm = promptness(history, history.attempts, serves).calm.p99;
    if (calm > kNoTime || result_.longest_lag > kNoTime) result_.answers_due = false;
  }

  void finish() {
    on_loop([this] {
      recorder_.history().ended = now_micros();
      stop_traffic_ = true;
      for (const auto& proxy : proxies_) {
        result_.connections.connections += proxy->figures().connections;
        result_.connections.cut += proxy->figures().cut;
        result_.connections.half_open += proxy->figures().half_open;
      }
      population_->leave();
      if (groups_) {
        result_.group_messages = groups_->messages();
        result_.group_changes = groups_->changes();
      }
    });
    loop_.stop();
    loop_.join();
  }

  const RunOptions options_;
  const tools::Cluster& cluster_;
  const Guardian& guardian_;
  RunResult result_;
  Recorder recorder_;
  Micros recorder_healed_ = 0;
  net::EventLoop loop_;
  Traffic traffic_;
  bool stop_traffic_ = false;
  std::vector<std::unique_ptr<Proxy>> proxies_;      // of each gate, when the network has faults
  std::map<std::uint16_t, std::string> gate_ports_;  // that clients connect to
  std::vector<std::shared_ptr<Sleeper>> sleepers_;
  std::unique_ptr<Population> population_;
  std::unique_ptr<Groups> groups_;        // null: none
  std::unique_ptr<Onlookers> onlookers_;  // null: everybody is timed
  std::vector<Attempt> timed_;            // theirs
  std::unique_ptr<FaultDriver> driver_;
};

}  // namespace

bool RunResult::clean() const noexcept {
  return verdict.clean() && verdict.acknowledged > 0 && offline == 0 && unserved == 0 && unpulled == 0 &&
         unrepaired == 0 && unread == 0 && races.unsettled == 0 && late_returns == 0 &&
         newcomers.holes == 0 && prompt.late_resumptions == 0 && (!answers_due || prompt.silent == 0);
}

RunResult run(const RunOptions& options, const tools::Cluster& cluster, const Guardian& guardian) {
  return Run(options, cluster, guardian).go();
}

}  // namespace hongyan::checker
