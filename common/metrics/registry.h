// Metrics in Prometheus' model.
//
//   metrics::Counter& sent =
//       registry.counter("hongyan_messages_total", "Messages accepted.", {{"kind", "c2c"}});
//   sent.Increment();
//
// Look a metric up once and keep the reference: it stays valid as long as the registry, and incrementing a
// counter or setting a gauge is one atomic operation (a histogram takes a short lock). Names are hongyan_…,
// counters end in _total, times are seconds, sizes bytes. Labels must have few values: never a uid.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace prometheus {
class Registry;
}

namespace hongyan::metrics {

using Counter = prometheus::Counter;
using Gauge = prometheus::Gauge;
using Histogram = prometheus::Histogram;
using Labels = std::map<std::string, std::string>;

// Seconds, from 0.1 ms to 10 s: for latencies.
[[nodiscard]] const Histogram::BucketBoundaries& latency_buckets();
// Powers of two from 1 to 1024: for rows in a batch and the like.
[[nodiscard]] const Histogram::BucketBoundaries& count_buckets();

// One for each process is usual; tests make their own. Any thread. The same name and labels give the same
// metric; a name must keep its kind.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  [[nodiscard]] Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  [[nodiscard]] Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  [[nodiscard]] Histogram& histogram(const std::string& name, const std::string& help,
                                     const Labels& labels = {},
                                     const Histogram::BucketBoundaries& buckets = latency_buckets());

  // Runs before each collection, on the collecting thread: sets gauges that are cheaper to read when asked.
  // What it refers to must outlive the registry's users.
  void before_collect(std::function<void()> refresh);

  // The text exposition format.
  [[nodiscard]] std::string text();

 private:
  const std::unique_ptr<prometheus::Registry> registry_;
  std::mutex mutex_;
  std::vector<std::function<void()>> refreshers_;
};

// Memory, descriptors, CPU time, start time, dropped log lines, escaped exceptions, version.
void add_process_metrics(Registry& registry, const std::string& daemon, const std::string& version);

}  // namespace hongyan::metrics
