// All that logic has of Kafka.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/metrics/health.h"
#include "common/metrics/registry.h"
#include "logic/kafka/config.h"
#include "logic/kafka/events.h"
#include "logic/kafka/uploads.h"
#include "logic/message/upload_sink.h"

namespace hongyan::logic {

// Owned by the app; made before the slot threads, stopped while their loops still run, destroyed after them.
class Kafka {
 public:
  // Waits a little for the brokers; goes on without them when they are away. destinations: every name that
  // some app allows. reports: outlives this object. An error is one of the configuration: kBadRequest.
  [[nodiscard]] static Result<std::unique_ptr<Kafka>> start(const KafkaConfig& config,
                                                            const std::vector<std::string>& destinations,
                                                            UploadReports& reports);

  [[nodiscard]] UploadSink& uploads() noexcept { return *uploads_; }
  // Null: not wanted.
  [[nodiscard]] EventSink* events() noexcept { return events_.get(); }
  void add_metrics(metrics::Registry& registry, metrics::Health& health);
  // Takes nothing more; what is under way gets stop_timeout.
  void stop();

 private:
  explicit Kafka(const KafkaConfig& config) : config_(config) {}
  static void add_producer_metrics(metrics::Registry& registry, const std::string& name,
                                   KafkaProducer& producer);

  const KafkaConfig config_;
  std::unique_ptr<KafkaUploads> uploads_;
  std::unique_ptr<KafkaEvents> events_;
};

}  // namespace hongyan::logic
