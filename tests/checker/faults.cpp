#include "tests/checker/faults.h"

#include <fmt/format.h>

#include <vector>

namespace hongyan::checker {

FaultDriver::FaultDriver(const e2e::Cluster& cluster, const Guardian& guardian, Strikes strikes)
    : cluster_(cluster),
      guardian_(guardian),
      strikes_(std::move(strikes)),
      members_at_start_(cluster.members()) {}

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
  }
}

std::string FaultDriver::member(std::string_view kind, std::uint64_t target) const {
  std::vector<std::string> names;
  for (const auto& [name, pid] : members_at_start_) {
    if (name.starts_with(kind)) names.push_back(name);
  }
  return names.empty() ? std::string(kind) : names[target % names.size()];
}

void FaultDriver::perform(const Strike& strike) {
  const auto kill = [&](std::string_view kind) {
    const std::string name = member(kind, strike.target);
    if (!cluster_.kill(name)) ++failed_;
    wait(strike.hold_ms);
    if (!cluster_.restart(name)) ++failed_;
  };
  switch (strike.fault) {
    case Fault::kKillLogic:
      kill("logic-");
      break;
    case Fault::kKillGate:
      kill("gate-");
      break;
    case Fault::kKillMysql:
      kill("mysql-");
      break;
    case Fault::kKillRedis:
      kill("redis");
      break;
    case Fault::kStopLogic:
      stop_process(member("logic-", strike.target), strike.hold_ms);
      break;
    case Fault::kStopGate:
      stop_process(member("gate-", strike.target), strike.hold_ms);
      break;
    case Fault::kFlushRedis:
      if (cluster_.redis("FLUSHALL") != "OK") ++failed_;
      break;
    case Fault::kReadOnly:
      read_only(strike.target % cluster_.shards(), strike.hold_ms);
      break;
    default:
      break;
  }
  ++done_[std::string(name_of(strike.fault))];
}

void FaultDriver::stop_process(const std::string& name, std::int64_t ms) {
  const auto members = cluster_.members();
  const auto it = members.find(name);
  if (it == members.end() || !guardian_.stop(it->second)) {
    ++failed_;
    return;
  }
  wait(ms);
  guardian_.wake(it->second);
}

void FaultDriver::read_only(std::size_t shard, std::int64_t ms) {
  if (!cluster_.admin_sql(shard, "SET GLOBAL read_only = 1")) ++failed_;
  wait(ms);
  if (!cluster_.admin_sql(shard, "SET GLOBAL read_only = 0")) ++failed_;
}

}  // namespace hongyan::checker
