// Strikes the cluster's servers, one after the other, and repairs each.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "tests/checker/guardian.h"
#include "tests/checker/plan.h"
#include "tests/e2e/cluster.h"

namespace hongyan::checker {

// A thread of its own, from start() to finish(). The owner's thread may read done() and failed() after
// finish().
class FaultDriver {
 public:
  FaultDriver(const e2e::Cluster& cluster, const Guardian& guardian, Strikes strikes);
  ~FaultDriver();

  void start();
  // Repairs what is being struck, starts what does not run; false when that failed.
  [[nodiscard]] bool finish();

  [[nodiscard]] const std::map<std::string, int>& done() const noexcept { return done_; }
  [[nodiscard]] int failed() const noexcept { return failed_; }

 private:
  void run();
  void perform(const Strike& strike);
  void stop_process(const std::string& name, std::int64_t ms);
  void read_only(std::size_t shard, std::int64_t ms);
  // False: finish() was called meanwhile.
  bool wait(std::int64_t ms);
  [[nodiscard]] std::string member(std::string_view kind, std::uint64_t target) const;

  const e2e::Cluster& cluster_;
  const Guardian& guardian_;
  Strikes strikes_;
  const std::map<std::string, int> members_at_start_;
  std::map<std::string, int> done_;
  int failed_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool finishing_ = false;
  std::thread thread_;
};

}  // namespace hongyan::checker
