#include "tools/checker/faults.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <vector>

#include "tools/checker/recorder.h"

namespace hongyan::checker {

namespace {
constexpr std::int64_t kSlowMs = 5'000;  // a slow server does nothing so long,
constexpr std::int64_t kQuickMs = 200;   // then works so long
constexpr std::int64_t kLookMs = 50;
constexpr Micros kReturn = 60'000'000;
}  // namespace

FaultDriver::FaultDriver(const tools::Cluster& cluster, const Guardian& guardian, Strikes strikes,
                         std::function<bool()> everybody_back)
    : cluster_(cluster),
      guardian_(guardian),
      strikes_(std::move(strikes)),
      everybody_back_(std::move(everybody_back)),
      members_(cluster.members()) {}

FaultDriver::~FaultDriver() {
  if (thread_.joinable()) static_cast<void>(finish());
}

void FaultDriver::start() {
  thread_ = std::thread([this] { run(); });
}

bool FaultDriver::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  bool whole = true;
  for (const auto& [name, pid] : cluster_.members()) {
    if (pid == 0) whole = cluster_.restart(name) && whole;
  }
  return whole;
}

bool FaultDriver::wait(std::int64_t ms) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return finishing_; });
}

void FaultDriver::run() {
  for (;;) {
    const Strike strike = strikes_.next();
    if (!wait(strike.gap_ms)) return;
    perform(strike);
    members_ = cluster_.members();
  }
}

std::string FaultDriver::member(std::string_view kind, std::uint64_t target) const {
  std::vector<std::string> names;
  for (const auto& [name, pid] : members_) {
    if (name.starts_with(kind)) names.push_back(name);
  }
  return names.empty() ? std::string(kind) : names[target % names.size()];
}

void FaultDriver::perform(const Strike& strike) {
  Struck struck{.begun = now_micros()};
  repair_begun_ = 0;
  struck.server = strike_server(strike);
  struck.repaired = now_micros();
  struck.repairing = repair_begun_ == 0 ? struck.repaired : repair_begun_;
  struck_.push_back(std::move(struck));
  ++done_[std::string(name_of(strike.fault))];
  if (strike.fault == Fault::kRestartGates) await_return();
}

std::string FaultDriver::strike_server(const Strike& strike) {
  const auto named = [&](std::string_view kind) { return member(kind, strike.target); };
  const auto killed = [&](std::string_view kind) {
    const std::string name = named(kind);
    kill(name, strike.hold_ms);
    return name;
  };
  const auto stopped = [&](std::string_view kind) {
    const std::string name = named(kind);
    stop_process(name, strike.hold_ms);
    return name;
  };
  switch (strike.fault) {
    case Fault::kKillLogic:
      return killed("logic-");
    case Fault::kKillGate:
      return killed("gate-");
    case Fault::kKillMysql:
    case Fault::kDownMysql:
      return killed("mysql-");
    case Fault::kKillRedis:
      return killed("redis");
    case Fault::kStopLogic:
      return stopped("logic-");
    case Fault::kStopGate:
      return stopped("gate-");
    case Fault::kStopMysql:
      return stopped("mysql-");
    case Fault::kCutLink:  // refused and reset, or hanging
      return strike.target % 2 == 0 ? killed("relay-") : stopped("relay-");
    case Fault::kSlowMysql: {
      const std::string name = named("mysql-");
      slow_process(name, strike.hold_ms);
      return name;
    }
    case Fault::kFlushRedis:
      if (cluster_.redis("FLUSHALL") != "OK") ++failed_;
      return "redis";
    case Fault::kReadOnly: {
      const std::string name = named("mysql-");
      read_only(name, strike.hold_ms);
      return name;
    }
    case Fault::kRestartGates:
      restart_gates(strike.hold_ms);
      return "gates";
    default:
      return "";
  }
}

void FaultDriver::end_process(const std::string& name) {
  const auto it = members_.find(name);
  if (it == members_.end() || it->second <= 0 || ::kill(it->second, SIGKILL) != 0) ++failed_;
}

void FaultDriver::kill(const std::string& name, std::int64_t ms) {
  end_process(name);
  wait(ms);
  repair_begun_ = now_micros();
  if (!cluster_.restart(name)) ++failed_;
}

bool FaultDriver::stop_process(const std::string& name, std::int64_t ms) {
  const auto it = members_.find(name);
  if (it == members_.end() || !guardian_.stop(it->second)) {
    ++failed_;
    return false;
  }
  const bool whole = wait(ms);
  guardian_.wake(it->second);
  return whole;
}

void FaultDriver::slow_process(const std::string& name, std::int64_t ms) {
  const Micros end = now_micros() + ms * 1000;
  while (stop_process(name, kSlowMs) && now_micros() < end && wait(kQuickMs)) {
  }
}

void FaultDriver::restart_gates(std::int64_t ms) {
  std::vector<std::string> gates;
  for (const auto& [name, pid] : members_) {
    if (name.starts_with("gate-")) gates.push_back(name);
  }
  const std::string names = fmt::format("{}", fmt::join(gates, " "));
  for (const auto& gate : gates) end_process(gate);
  wait(ms);
  repair_begun_ = now_micros();
  if (!cluster_.restart(names)) ++failed_;
}

void FaultDriver::await_return() {
  const Micros begun = now_micros();
  while (!everybody_back_() && now_micros() - begun < kReturn) {
    if (!wait(kLookMs)) return;  // who is not back after healing is counted there
  }
  const Micros took = now_micros() - begun;
  slowest_return_ = std::max(slowest_return_, took);
  late_returns_ += took >= kReturn ? 1 : 0;
}

void FaultDriver::read_only(const std::string& name, std::int64_t ms) {
  std::size_t shard = 0;  // any of the server's
  while (shard + 1 < cluster_.shards() && cluster_.server_of(shard) != name) ++shard;
  if (!cluster_.admin_sql(shard, "SET GLOBAL read_only = 1")) ++failed_;
  wait(ms);
  if (!cluster_.admin_sql(shard, "SET GLOBAL read_only = 0")) ++failed_;
}

}  // namespace hongyan::checker
