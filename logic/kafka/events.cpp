#include "logic/kafka/events.h"

#include <nlohmann/json.hpp>

#include "logic/kafka/cloud_event.h"
#include "logic/user/device_name.h"

namespace hongyan::logic {

namespace {

std::string_view type_of(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kLogin:
      return "hongyan.login.v1";
    case Event::Kind::kLogout:
      return "hongyan.logout.v1";
    case Event::Kind::kStored:
      return "hongyan.stored.v1";
    case Event::Kind::kUndelivered:
      return "hongyan.undelivered.v1";
  }
  return {};
}

// Ids are text: as numbers they would be too large for JSON readers with doubles.
nlohmann::json data_of(const Event& event) {
  if (event.kind == Event::Kind::kStored) {
    nlohmann::json data = {{"msg_id", std::to_string(event.message.id)},
                           {"seq", event.seq},
                           {"cmd_id", event.message.command},
                           {"msg_type", event.message.type},
                           {"client_msg_id", event.message.client_msg_id}};
    if (!event.message.to.empty()) data["to"] = event.message.to;
    if (event.message.group_id != 0) data["group_id"] = std::to_string(event.message.group_id);
    return data;
  }
  nlohmann::json data = {{"session_id", std::to_string(event.session_id)},
                         {"device_type", device_name(event.device_type)},
                         {"device_id", event.device_id},
                         {"gate", event.gate}};
  if (event.kind == Event::Kind::kLogout) data["reason"] = event.reason;
  if (event.kind == Event::Kind::kUndelivered) {
    data["msg_id"] = std::to_string(event.message.id);
    data["seq"] = event.seq;
  }
  return data;
}

}  // namespace

std::string to_cloud_event(const Event& event) {
  const nlohmann::json out = {{"specversion", "1.0"},
                              {"id", std::to_string(event.id)},
                              {"source", event_source(event.app_id)},
                              {"type", type_of(event.kind)},
                              {"subject", event.uid},
                              {"time", rfc3339(event.time_ms)},
                              {"datacontenttype", "application/json"},
                              {"data", data_of(event)}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::unique_ptr<KafkaEvents>> KafkaEvents::create(KafkaProducer::Options options, std::string topic) {
  std::unique_ptr<KafkaEvents> events(new KafkaEvents(std::move(topic)));
  // The producer counts and logs what it could not deliver: nobody waits for it.
  auto producer = KafkaProducer::create(std::move(options), [](const std::vector<KafkaRecordPtr>&) {});
  if (!producer) return std::unexpected(producer.error());
  events->producer_ = std::move(*producer);
  return events;
}

void KafkaEvents::publish(Event event) {
  auto record = std::make_unique<KafkaRecord>();
  record->topic = topic_;
  record->key = event.uid;
  record->value = to_cloud_event(event);
  record->headers = {{"content-type", "application/cloudevents+json; charset=UTF-8"}};
  [[maybe_unused]] const Status taken = producer_->produce(record);  // refused: counted and logged there
}

}  // namespace hongyan::logic
