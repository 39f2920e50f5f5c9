#include "logic/kafka/config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/config/schema.h"

namespace hongyan::logic {

namespace {

// What the promises of KafkaProducer rest on, and what has a key of its own.
constexpr std::array<std::string_view, 15> kOwnProperties = {"acks",
                                                             "request.required.acks",
                                                             "enable.idempotence",
                                                             "enable.gapless.guarantee",
                                                             "partitioner",
                                                             "bootstrap.servers",
                                                             "metadata.broker.list",
                                                             "message.timeout.ms",
                                                             "delivery.timeout.ms",
                                                             "linger.ms",
                                                             "queue.buffering.max.ms",
                                                             "queue.buffering.max.messages",
                                                             "queue.buffering.max.kbytes",
                                                             "statistics.interval.ms",
                                                             "sasl.password"};

std::string check_properties(const std::vector<std::string>& properties) {
  for (const auto& property : properties) {
    const std::string name = property.substr(0, property.find('='));
    if (name.empty() || name.size() == property.size()) return "\"" + property + "\" is not name=value";
    if (std::ranges::find(kOwnProperties, name) != kOwnProperties.end()) {
      return name + " is not to be set here";
    }
  }
  return {};
}

// By what librdkafka calls them: ssl.key.password, ssl.key.pem, sasl.jaas…, sasl.oauthbearer.client.secret …
bool is_secret(std::string_view property) {
  const std::string_view name = property.substr(0, property.find('='));
  return std::ranges::any_of(
      std::array{"password", "secret", "key.pem", "jaas", "oauthbearer.config", "token"},
      [name](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

std::string check_brokers(const std::vector<std::string>& brokers) {
  for (const auto& broker : brokers) {
    const auto colon = broker.rfind(':');
    const auto port =
        colon == std::string::npos ? std::string_view() : std::string_view(broker).substr(colon + 1);
    const bool digits =
        !port.empty() && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
    if (colon == 0 || !digits || broker.find_first_of(", \t") != std::string::npos) {
      return "\"" + broker + "\" is not host:port";
    }
  }
  return {};
}

}  // namespace

std::string check_topic_part(const std::string& text) {
  const bool fits = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  return fits ? "" : "the name of a topic consists of letters, digits, '.', '_' and '-'";
}

void bind(config::Schema& schema, KafkaConfig& config) {
  schema.section("kafka", "Where uploads of clients (C2S) and events go.");
  schema.list("kafka.brokers", config.brokers,
              "Some of the brokers, \"host:port\". Empty: no Kafka; uploads are refused, events not made.");
  schema.check("kafka.brokers", [&config] { return check_brokers(config.brokers); });
  schema.value("kafka.topic_prefix", config.topic_prefix, "Before a destination, it makes the topic's name.")
      .length(0, kMaxTopicName - 64);
  schema.check("kafka.topic_prefix", [&config] { return check_topic_part(config.topic_prefix); });
  schema
      .value("kafka.upload_timeout", config.upload_timeout,
             "An upload not confirmed by then is answered with an error; less than the gates' "
             "request_deadline.")
      .range(Milliseconds(1500), Milliseconds(60'000));
  schema
      .value("kafka.linger", config.linger,
             "How long a message waits for others to share a request: throughput against latency.")
      .range(Milliseconds(0), Milliseconds(1000));
  schema
      .bytes("kafka.queue_bytes", config.queue_bytes,
             "Uploads waiting for Kafka; past it they are refused with UNAVAILABLE.")
      .range(1 << 20, std::int64_t{16} << 30);
  schema.value("kafka.queue_messages", config.queue_messages, "The same as a number of messages.")
      .range(100, 10'000'000);
  schema.value("kafka.events", config.events, "Whether logins, logouts and undelivered pushes are told.");
  schema.value("kafka.stored_events", config.stored_events,
               "With kafka.events: whether each stored message is told, too (who to whom, without content).");
  schema.value("kafka.event_topic", config.event_topic, "Where they are told.").length(1, kMaxTopicName);
  schema.check("kafka.event_topic", [&config] { return check_topic_part(config.event_topic); });
  schema.value("kafka.event_timeout", config.event_timeout, "An event not confirmed by then is dropped.")
      .range(Milliseconds(1000), Milliseconds(86'400'000));
  schema
      .bytes("kafka.event_queue_bytes", config.event_queue_bytes,
             "Events waiting for Kafka; past it new ones are dropped.")
      .range(1 << 20, std::int64_t{16} << 30);
  schema
      .value("kafka.stop_timeout", config.stop_timeout,
             "At stop, what is under way gets so long to reach Kafka.")
      .range(Milliseconds(0), Milliseconds(60'000));
  schema
      .list("kafka.properties", config.properties,
            "Further settings of librdkafka, \"name=value\": security.protocol, ssl.ca.location, "
            "sasl.username … What holds a password or a key is not shown by --print-config.")
      .hide(is_secret);
  schema.check("kafka.properties", [&config] { return check_properties(config.properties); });
  schema.secret("kafka.sasl_password", config.sasl_password, "sasl.password, when the brokers ask for one.");
}

}  // namespace hongyan::logic
