// [kafka] of logic's configuration.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"

namespace hongyan::config {
class Schema;
}

namespace hongyan::logic {

struct KafkaConfig {
  std::vector<std::string> brokers;  // "host:port"; empty: no Kafka
  std::vector<std::string> properties;
  std::string sasl_password;
  std::string topic_prefix = "im.c2s.";
  Milliseconds upload_timeout{2500};
  Milliseconds linger{1};
  std::size_t queue_bytes = 64 << 20;
  std::uint32_t queue_messages = 100'000;
  bool events = true;
  bool stored_events = false;
  std::string event_topic = "im.events";
  Milliseconds event_timeout{300'000};
  std::size_t event_queue_bytes = 64 << 20;
  Milliseconds stop_timeout{3000};
};

// The longest topic name that Kafka takes.
inline constexpr std::size_t kMaxTopicName = 249;

// "", or why the text cannot stand in the name of a topic.
[[nodiscard]] std::string check_topic_part(const std::string& text);

// The configuration outlives the schema.
void bind(config::Schema& schema, KafkaConfig& config);

}  // namespace hongyan::logic
