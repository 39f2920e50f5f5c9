// Events as messages of Kafka.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "logic/kafka/producer.h"
#include "logic/user/events.h"

namespace hongyan::logic {

// CloudEvents 1.0 JSON (structured mode), key = uid, one topic. Threads as KafkaProducer.
//
// At least once towards Kafka while this process lives: an event is tried for Options::timeout (minutes),
// also over a fatal error of librdkafka, and dropped only after that or when the queue is full. What is
// queued when the process dies is lost, and so is what would have been said of sessions that end while nobody
// owns them.
class KafkaEvents : public EventSink {
 public:
  [[nodiscard]] static Result<std::unique_ptr<KafkaEvents>> create(KafkaProducer::Options options,
                                                                   std::string topic);
  void publish(Event event) override;
  [[nodiscard]] KafkaProducer& producer() noexcept { return *producer_; }

 private:
  explicit KafkaEvents(std::string topic) : topic_(std::move(topic)) {}

  const std::string topic_;
  std::unique_ptr<KafkaProducer> producer_;
};

// The value of the message. Bytes of ids that are not UTF-8 become U+FFFD; the message's key is exact.
[[nodiscard]] std::string to_cloud_event(const Event& event);

}  // namespace hongyan::logic
