#include "logic/kafka/handle.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/base/assert.h"
#include "common/log/log.h"

namespace hongyan::logic {

namespace {

constexpr int kSyslogWarning = 4;
constexpr std::uint32_t kRetryAfterMs = 1000;
constexpr Milliseconds kAbandon{500};
constexpr std::size_t kLogicalPartition = 1;  // "-1" in the statistics: records of no partition yet

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ",") + text;
  return out;
}

Status set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> error{};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error.data(), error.size()) == RD_KAFKA_CONF_OK) {
    return {};
  }
  return fail(Code::kBadRequest, std::string(error.data()));
}

Status configure(rd_kafka_conf_t* conf, const KafkaProducer::Options& options) {
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"client.id", "hongyan-logic-" + options.name},
      {"bootstrap.servers", joined(options.brokers)},
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"partitioner", "murmur2_random"},  // that of Java's clients
      {"message.timeout.ms", std::to_string(options.timeout.count())},
      {"queue.buffering.max.ms", std::to_string(options.linger.count())},
      // KafkaProducer limits both earlier.
      {"queue.buffering.max.messages", std::to_string(std::max<std::size_t>(options.max_records, 1) * 2)},
      {"queue.buffering.max.kbytes", std::to_string(options.max_bytes / 1024 * 2 + 1024)},
      // The default (10 s) would keep it away long after a broker is back.
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "500"},
      {"socket.connection.setup.timeout.ms", "5000"},
      {"socket.timeout.ms", "10000"},
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"log.connection.close", "false"},
      // Connections stand before there is something to send, so that health says what is.
      {"enable.sparse.connections", "false"},
      {"statistics.interval.ms", "500"}};
  for (const auto& [name, value] : settings) {
    if (auto ok = set(conf, name, value); !ok) return ok;
  }
  if (!options.sasl_password.empty()) {
    if (auto ok = set(conf, "sasl.password", options.sasl_password); !ok) return ok;
  }
  for (const auto& property : options.properties) {
    const auto equals = property.find('=');
    if (auto ok = set(conf, property.substr(0, equals), property.substr(equals + 1)); !ok) return ok;
  }
  return {};
}

Status failure_of(rd_kafka_resp_err_t error, bool perhaps_written) {
  if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    return fail(Code::kTooLarge, "larger than Kafka takes");
  }
  const std::string why = rd_kafka_err2str(error);
  if (perhaps_written) return fail(Code::kDeadlineExceeded, "Kafka did not confirm in time: " + why);
  return fail(Code::kUnavailable, "Kafka did not take it in time: " + why, kRetryAfterMs);
}

}  // namespace

Result<std::unique_ptr<KafkaHandle>> KafkaHandle::create(const KafkaProducer::Options& options, int wake_fd) {
  std::unique_ptr<KafkaHandle> handle(new KafkaHandle(options));
  if (auto open = handle->open(wake_fd); !open) return std::unexpected(open.error());
  return handle;
}

Status KafkaHandle::open(int wake_fd) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  if (auto ok = configure(conf, options_); !ok) {
    rd_kafka_conf_destroy(conf);
    return ok;
  }
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_dr_msg_cb(conf, &KafkaHandle::on_delivery);
  rd_kafka_conf_set_stats_cb(conf, &KafkaHandle::on_statistics);
  rd_kafka_conf_set_error_cb(conf, &KafkaHandle::on_error);
  rd_kafka_conf_set_log_cb(conf, &KafkaHandle::on_log);
  std::array<char, 512> error{};
  rk_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size());
  if (rk_ == nullptr) {
    rd_kafka_conf_destroy(conf);
    return fail(Code::kBadRequest, std::string(error.data()));
  }
  rd_kafka_queue_t* news = rd_kafka_queue_get_main(rk_);
  const std::uint64_t one = 1;
  rd_kafka_queue_io_event_enable(news, wake_fd, &one, sizeof(one));
  rd_kafka_queue_destroy(news);
  for (const auto& name : options_.topics) {
    if (topic(name) == nullptr) return fail(Code::kBadRequest, "cannot use the topic " + name);
  }
  return {};
}

KafkaHandle::~KafkaHandle() {
  if (rk_ == nullptr) return;
  for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(rk_);
}

rd_kafka_topic_t* KafkaHandle::topic(const std::string& name) {
  const auto known = topics_.find(name);
  if (known != topics_.end()) return known->second;
  rd_kafka_topic_t* topic = rd_kafka_topic_new(rk_, name.c_str(), nullptr);
  if (topic != nullptr) topics_.emplace(name, topic);
  return topic;
}

void KafkaHandle::submit(KafkaRecordPtr record) {
  const std::uint64_t number = next_number_++;
  std::vector<rd_kafka_vu_t> parts(5 + record->headers.size());
  parts[0].vtype = RD_KAFKA_VTYPE_RKT;
  parts[0].u.rkt = topic(record->topic);
  parts[1].vtype = RD_KAFKA_VTYPE_KEY;
  parts[1].u.mem = {.ptr = record->key.data(), .size = record->key.size()};
  // Not copied: the record stays where it is until the report. A pointer, so an empty value is not null.
  parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[2].u.mem = {.ptr = record->value.data(), .size = record->value.size()};
  parts[3].vtype = RD_KAFKA_VTYPE_OPAQUE;
  parts[3].u.ptr =
      reinterpret_cast<void*>(static_cast<std::uintptr_t>(number));  // NOLINT: an id, not an address
  parts[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[4].u.i = 0;
  for (std::size_t i = 0; i < record->headers.size(); ++i) {
    const auto& [name, value] = record->headers[i];
    parts[5 + i].vtype = RD_KAFKA_VTYPE_HEADER;
    parts[5 + i].u.header = {
        .name = name.c_str(), .val = value.data(), .size = static_cast<std::int64_t>(value.size())};
  }
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__INVALID_ARG;
  if (parts[0].u.rkt != nullptr) {
    rd_kafka_error_t* error = rd_kafka_produceva(rk_, parts.data(), parts.size());
    if (error == nullptr) {
      in_flight_.emplace(number, std::move(record));
      return;
    }
    code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
  }
  record->outcome = failure_of(code, false);
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    lost_.emplace_back(number, std::move(record));
  } else {
    finished_.push_back(std::move(record));
  }
}

void KafkaHandle::poll() { rd_kafka_poll(rk_, 0); }

void KafkaHandle::delivered(const rd_kafka_message_t& message) {
  const auto number = reinterpret_cast<std::uintptr_t>(message._private);
  const auto found = in_flight_.find(number);
  HONGYAN_ASSERT(found != in_flight_.end());
  KafkaRecordPtr record = std::move(found->second);
  in_flight_.erase(found);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    record->outcome = {};
    finished_.push_back(std::move(record));
    return;
  }
  record->outcome =
      failure_of(message.err, rd_kafka_message_status(&message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED);
  const bool purged = message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                      message.err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT ||
                      message.err == RD_KAFKA_RESP_ERR__FATAL;
  if (purged || fatal()) {
    lost_.emplace_back(number, std::move(record));
  } else {
    finished_.push_back(std::move(record));
  }
}

bool KafkaHandle::fatal() const {
  return rd_kafka_fatal_error(rk_, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

void KafkaHandle::raise_fatal_error() {
  rd_kafka_test_fatal_error(rk_, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "asked for");
}

std::vector<KafkaRecordPtr> KafkaHandle::abandon() {
  rd_kafka_purge(rk_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  const SteadyTime until = SteadyClock::now() + kAbandon;
  while (!in_flight_.empty() && SteadyClock::now() < until) rd_kafka_poll(rk_, 20);
  // Nothing refers to a record once the handle is gone, reported or not.
  for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic);
  topics_.clear();
  rd_kafka_destroy(rk_);
  rk_ = nullptr;
  for (auto& [number, record] : in_flight_) {
    record->outcome = failure_of(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, true);
    lost_.emplace_back(number, std::move(record));
  }
  in_flight_.clear();
  std::ranges::sort(lost_, {}, [](const auto& one) { return one.first; });
  std::vector<KafkaRecordPtr> out;
  out.reserve(lost_.size());
  for (auto& [number, record] : lost_) out.push_back(std::move(record));
  lost_.clear();
  return out;
}

void KafkaHandle::read_statistics(std::string_view json) {
  const auto statistics = nlohmann::json::parse(json, nullptr, false);
  if (statistics.is_discarded()) return;
  connected_ = false;
  for (const auto& broker : statistics.value("brokers", nlohmann::json::object())) {
    connected_ = connected_ || broker.value("state", "") == "UP";
  }
  if (ready_) return;
  const auto& eos = statistics.value("eos", nlohmann::json::object());
  const auto topics = statistics.value("topics", nlohmann::json::object());
  ready_ = connected_ && eos.value("idemp_state", "") == "Assigned" &&
           std::ranges::all_of(options_.topics, [&topics](const std::string& name) {
             return topics.contains(name) &&
                    topics[name].value("partitions", nlohmann::json::object()).size() > kLogicalPartition;
           });
}

void KafkaHandle::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  static_cast<KafkaHandle*>(self)->delivered(*message);
}

int KafkaHandle::on_statistics(rd_kafka_t*, char* json, std::size_t size, void* self) {
  static_cast<KafkaHandle*>(self)->read_statistics({json, size});
  return 0;
}

void KafkaHandle::on_error(rd_kafka_t*, int code, const char* reason, void* self) {
  // The rest is logged by librdkafka, which suppresses repetitions.
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) static_cast<KafkaHandle*>(self)->connected_ = false;
  log::debug("kafka", "error reason={}", log::quoted(reason));
}

void KafkaHandle::on_log(const rd_kafka_t* rk, int level, const char* facility, const char* text) {
  if (level <= kSyslogWarning) {
    log::warn("kafka", "{} {} {}", rd_kafka_name(rk), facility, text);
  } else {
    log::debug("kafka", "{} {} {}", rd_kafka_name(rk), facility, text);
  }
}

}  // namespace hongyan::logic
