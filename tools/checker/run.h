// One run: users under traffic, faults, healing, and the judgement.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "tools/checker/faults.h"
#include "tools/checker/groups.h"
#include "tools/checker/guardian.h"
#include "tools/checker/judge.h"
#include "tools/checker/newcomer.h"
#include "tools/checker/plan.h"
#include "tools/checker/promptness.h"
#include "tools/checker/proxy.h"
#include "tools/checker/race.h"

namespace hongyan::checker {

struct RunOptions {
  std::size_t users = 200;
  std::size_t receivers = 0;  // only the first so many users are sent to; 0: all
  std::size_t devices = 2;    // of a user, at most
  double seconds = 60;
  double rate = 500;  // messages a second
  std::uint64_t seed = 0;
  std::set<Fault> faults = {};
  std::int64_t stop_ms = 0;  // see Strikes
  double cut = 0.1;          // see ProxyFaults
  double half_open = 0.02;
  std::size_t racers = 20;
  std::size_t sleepers = 100;
  std::size_t newcomers = 50;
  std::size_t onlookers = 20;  // users whose answers are timed; 0: everybody's
  double onlooker_rate = 100;  // messages a second of them
  std::vector<client::TransportKind> transports = {client::TransportKind::kTcp};  // devices take them in turn
  GroupsOptions groups = {};  // no groups: none at all. seed: the run's
  double calm_seconds = 1;    // of traffic before the faults
  bool large = false;
  std::string before_pull = {};  // a shell command, run once all is quiet
};

struct RunResult {
  Verdict verdict = {};
  // More that must be 0.
  std::uint64_t offline = 0;     // devices that were not back a minute after healing
  std::uint64_t unserved = 0;    // messages sent after healing that were not acknowledged within 30 s
  std::uint64_t unpulled = 0;    // devices that could not pull everything
  std::uint64_t unrepaired = 0;  // faults that could not be done or repaired: the run is worth nothing
  std::uint64_t unread = 0;      // clients that never read and were not closed with SLOW_CONSUMER, though due
  std::uint64_t late_returns = 0;  // a minute after all gates had restarted, not everybody was online
  RaceFigures races = {};
  NewcomerFigures newcomers = {};
  Promptness prompt = {};
  bool answers_due = false;  // neither a fault nor the machine keeps an answer from a connection that lives
  // For people.
  std::map<std::string, int> strikes = {};
  Proxy::Figures connections = {};
  std::uint64_t sleepers_closed = 0;
  std::uint64_t group_messages = 0;
  std::uint64_t group_changes = 0;
  Micros longest_stall = 0;   // without any acknowledgement, under faults
  Micros back_after = 0;      // from healing until everybody was online
  Micros slowest_return = 0;  // the same from a restart of all gates
  Micros longest_lag = 0;     // of the checker itself, while it sent

  [[nodiscard]] bool clean() const noexcept;
};

// Blocks. guardian: made before any thread.
[[nodiscard]] RunResult run(const RunOptions& options, const tools::Cluster& cluster,
                            const Guardian& guardian);

}  // namespace hongyan::checker
