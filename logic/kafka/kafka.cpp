#include "logic/kafka/kafka.h"

#include "common/log/log.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kWarmUp{3000};
// librdkafka looks for timed-out messages once a second: so the report comes before upload_timeout.
constexpr Milliseconds kReportDelay{1000};
constexpr std::size_t kLeastEvent = 256;  // bytes: so the number is no limit of its own

KafkaProducer::Options options_of(const KafkaConfig& config, std::string name) {
  KafkaProducer::Options options;
  options.name = std::move(name);
  options.brokers = config.brokers;
  options.properties = config.properties;
  options.sasl_password = config.sasl_password;
  options.linger = config.linger;
  return options;
}

KafkaProducer::Options event_options(const KafkaConfig& config) {
  KafkaProducer::Options options = options_of(config, "events");
  options.timeout = config.event_timeout;
  options.max_bytes = config.event_queue_bytes;
  options.max_records = config.event_queue_bytes / kLeastEvent;
  options.topics = {config.event_topic};
  options.retry_lost = true;
  options.missing_topic_patience = config.event_timeout;
  return options;
}

}  // namespace

Result<std::unique_ptr<Kafka>> Kafka::start(const KafkaConfig& config,
                                            const std::vector<std::string>& destinations,
                                            UploadReports& reports) {
  std::unique_ptr<Kafka> kafka(new Kafka(config));
  KafkaProducer::Options options = options_of(config, "uploads");
  options.timeout = config.upload_timeout - kReportDelay;
  options.max_bytes = config.queue_bytes;
  options.max_records = config.queue_messages;
  for (const auto& destination : destinations) options.topics.push_back(config.topic_prefix + destination);
  auto uploads = KafkaUploads::create(std::move(options), config.topic_prefix, reports);
  if (!uploads) return fail(uploads.error().code, "kafka: " + uploads.error().message);
  kafka->uploads_ = std::move(*uploads);

  if (config.events) {
    auto events = KafkaEvents::create(event_options(config), config.event_topic);
    if (!events) return fail(events.error().code, "kafka: " + events.error().message);
    kafka->events_ = std::move(*events);
  }
  if (!kafka->uploads_->producer().wait_ready(kWarmUp)) {
    log::warn("kafka", "not ready at start, uploads are refused meanwhile reason={}",
              log::quoted(kafka->uploads_->producer().trouble()));
  }
  return kafka;
}

void Kafka::add_producer_metrics(metrics::Registry& registry, const std::string& name,
                                 KafkaProducer& producer) {
  const metrics::Labels labels = {{"producer", name}};
  const auto total = [&](const std::string& what, const std::string& help,
                         std::uint64_t (KafkaProducer::*value)() const noexcept) {
    metrics::Counter& counter = registry.counter("hongyan_logic_kafka_" + what + "_total", help, labels);
    registry.before_collect([&counter, &producer, value] {
      const auto now = static_cast<double>((producer.*value)());
      if (now > counter.Value()) counter.Increment(now - counter.Value());
    });
  };
  total("published", "Messages that Kafka confirmed.", &KafkaProducer::delivered);
  total("failed", "Messages that Kafka did not confirm in time.", &KafkaProducer::failed);
  total("refused", "Messages not taken because too much waited.", &KafkaProducer::refused);
  metrics::Gauge& bytes =
      registry.gauge("hongyan_logic_kafka_queue_bytes", "Messages waiting for Kafka.", labels);
  metrics::Gauge& records =
      registry.gauge("hongyan_logic_kafka_queue_messages", "Messages waiting for Kafka.", labels);
  registry.before_collect([&bytes, &records, &producer] {
    bytes.Set(static_cast<double>(producer.queued_bytes()));
    records.Set(static_cast<double>(producer.queued_records()));
  });
}

void Kafka::add_metrics(metrics::Registry& registry, metrics::Health& health) {
  add_producer_metrics(registry, "uploads", uploads_->producer());
  if (events_) add_producer_metrics(registry, "events", events_->producer());
  health.add("kafka", [this] {
    std::string trouble = uploads_->producer().trouble();
    const std::string events = events_ ? events_->producer().trouble() : std::string();
    if (!events.empty() && events != trouble) trouble += (trouble.empty() ? "" : "; ") + events;
    if (trouble.empty()) return metrics::HealthCheck{};
    return metrics::HealthCheck{metrics::HealthState::kDegraded, std::move(trouble)};
  });
}

void Kafka::stop() {
  uploads_->producer().stop(config_.stop_timeout);
  if (events_) events_->producer().stop(config_.stop_timeout);
}

}  // namespace hongyan::logic
