// Strikes the cluster's servers, one after the other, and repairs each.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tools/checker/guardian.h"
#include "tools/checker/history.h"
#include "tools/checker/plan.h"
#include "tools/support/cluster.h"

namespace hongyan::checker {

// A thread of its own, from start() to finish(). The owner's thread may read done() and failed() after
// finish().
class FaultDriver {
 public:
  // everybody_back: whether all clients are online; asked from the driver's thread.
  FaultDriver(const tools::Cluster& cluster, const Guardian& guardian, Strikes strikes,
              std::function<bool()> everybody_back);
  ~FaultDriver();

  void start();
  // Repairs what is being struck, starts what does not run; false when that failed.
  [[nodiscard]] bool finish();

  [[nodiscard]] const std::map<std::string, int>& done() const noexcept { return done_; }
  [[nodiscard]] int failed() const noexcept { return failed_; }
  [[nodiscard]] const std::vector<Struck>& strikes() const noexcept { return struck_; }
  // From the moment that all gates were up again until everybody was online, the longest; those that took
  // more than a minute.
  [[nodiscard]] Micros slowest_return() const noexcept { return slowest_return_; }
  [[nodiscard]] std::uint64_t late_returns() const noexcept { return late_returns_; }

 private:
  void run();
  void perform(const Strike& strike);
  // What was struck.
  [[nodiscard]] std::string strike_server(const Strike& strike);
  // kill -9. By its pid and not by dev-cluster, whose start would be the first that bystanders notice.
  void end_process(const std::string& name);
  void kill(const std::string& name, std::int64_t ms);
  // Each is repaired on return. False: it could not be done, or finish() was called meanwhile.
  bool stop_process(const std::string& name, std::int64_t ms);
  void slow_process(const std::string& name, std::int64_t ms);
  void restart_gates(std::int64_t ms);
  void read_only(const std::string& name, std::int64_t ms);
  void await_return();
  // False: finish() was called meanwhile.
  bool wait(std::int64_t ms);
  [[nodiscard]] std::string member(std::string_view kind, std::uint64_t target) const;

  const tools::Cluster& cluster_;
  const Guardian& guardian_;
  Strikes strikes_;
  const std::function<bool()> everybody_back_;
  std::map<std::string, int> members_;  // pids, as of before the strike
  std::map<std::string, int> done_;
  std::vector<Struck> struck_;
  Micros repair_begun_ = 0;  // of this strike; 0: it takes no time
  Micros slowest_return_ = 0;
  std::uint64_t late_returns_ = 0;
  int failed_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool finishing_ = false;
  std::thread thread_;
};

}  // namespace hongyan::checker
