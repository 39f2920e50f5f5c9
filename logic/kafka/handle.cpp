#include "logic/kafka/handle.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/base/assert.h"
#include "common/log/log.h"

namespace hongyan::logic {

namespace {

constexpr int kSyslogWarning = 4;
constexpr Milliseconds kAbandon{500};
constexpr Milliseconds kTopicsAppear{2000};  // after a broker answers, where topics are made at first use
constexpr std::int64_t kLongestPropagation = 3'600'000;  // ms; what librdkafka takes
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
      // A topic that was deleted is noticed without a message to it.
      {"topic.metadata.refresh.interval.ms", "3000"},
      {"topic.metadata.propagation.max.ms",
       std::to_string(std::min<std::int64_t>(options.missing_topic_patience.count(), kLongestPropagation))},
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

bool is_missing(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

std::string missing_words(const std::string& topic) { return "topic missing: " + topic; }

// For operators; the librdkafka text where there is no better one.
std::string words_of(rd_kafka_resp_err_t error, const std::string& topic) {
  if (is_missing(error)) return missing_words(topic);
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return "topic may not be written by this user: " + topic;
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return "this user may not produce";
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return "topic has too few replicas in sync: " + topic;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return "topic does not answer in time: " + topic;
    default:
      return "topic " + topic + ": " + rd_kafka_err2str(error);
  }
}

// For clients: fixed texts.
Status failure_of(rd_kafka_resp_err_t error, bool perhaps_written) {
  if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    return fail(Code::kTooLarge, "larger than the destination takes");
  }
  if (perhaps_written) return fail(Code::kDeadlineExceeded, "Kafka did not confirm in time");
  if (is_missing(error)) return fail(Code::kUnavailable, "the destination's topic is missing", kRetryLaterMs);
  if (error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
    return fail(Code::kUnavailable, "the destination's topic may not be written", kRetryLaterMs);
  }
  return fail(Code::kUnavailable, "Kafka did not take it in time", kRetryLaterMs);
}

struct DestroyHeaders {
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
};
using Headers = std::unique_ptr<rd_kafka_headers_t, DestroyHeaders>;

Headers headers_of(const KafkaRecord& record) {
  Headers headers(rd_kafka_headers_new(record.headers.size()));
  for (const auto& [name, value] : record.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return headers;
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
  for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic.handle);
  rd_kafka_destroy(rk_);
}

KafkaHandle::Topic* KafkaHandle::topic(const std::string& name) {
  if (const auto known = topics_.find(name); known != topics_.end()) return &known->second;
  rd_kafka_topic_t* handle = rd_kafka_topic_new(rk_, name.c_str(), nullptr);
  if (handle == nullptr) return nullptr;
  Topic& made = topics_[name];
  made.name = name;
  made.handle = handle;
  return &made;
}

void KafkaHandle::submit(KafkaRecordPtr record) {
  const std::uint64_t number = next_number_++;
  const SteadyTime until = SteadyClock::now() + options_.timeout;
  Topic* to = topic(record->topic);
  if (to == nullptr) {
    return fail_record(number, std::move(record), nullptr, RD_KAFKA_RESP_ERR__INVALID_ARG, false);
  }
  if (!to->one_by_one) return send(number, std::move(record), until, *to);
  to->waiting.emplace(number, Waiting{.record = std::move(record), .until = until});
  ++waiting_;
}

void KafkaHandle::send(std::uint64_t number, KafkaRecordPtr record, SteadyTime until, Topic& topic) {
  // The headers as one object: those given one by one are freed twice when the call fails (librdkafka 2.0.2).
  // It is the caller's again then.
  Headers headers = headers_of(*record);
  std::array<rd_kafka_vu_t, 6> parts{};
  parts[0].vtype = RD_KAFKA_VTYPE_RKT;
  parts[0].u.rkt = topic.handle;
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
  parts[5].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[5].u.headers = headers.get();
  rd_kafka_error_t* error = rd_kafka_produceva(rk_, parts.data(), parts.size());
  if (error == nullptr) {
    static_cast<void>(headers.release());
    ++topic.in_flight;
    in_flight_.emplace(number, Flight{.record = std::move(record), .until = until, .topic = &topic});
    return;
  }
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  fail_record(number, std::move(record), &topic, code, false);
}

void KafkaHandle::fail_record(std::uint64_t number, KafkaRecordPtr record, Topic* topic,
                              rd_kafka_resp_err_t code, bool perhaps_written) {
  record->outcome = failure_of(code, perhaps_written);
  const bool given_up = code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT ||
                        code == RD_KAFKA_RESP_ERR__FATAL;
  if (given_up || fatal()) {
    lost_.emplace_back(number, std::move(record));
    return;
  }
  if (topic != nullptr && code != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
    const bool missing = code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT && topic->missing;
    const std::string words = missing ? missing_words(topic->name) : words_of(code, topic->name);
    if (missing) record->outcome = failure_of(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, false);
    if (words != topic->trouble)
      log::warn("kafka", "cannot write producer={} reason={}", options_.name, log::quoted(words));
    topic->trouble = words;
  }
  finished_.push_back(std::move(record));
}

void KafkaHandle::poll() {
  rd_kafka_poll(rk_, 0);
  for (auto& [name, topic] : topics_) {
    if (topic.one_by_one) send_next(topic);
  }
}

void KafkaHandle::send_next(Topic& topic) {
  while (topic.in_flight == 0 && !topic.waiting.empty()) {
    auto next = topic.waiting.extract(topic.waiting.begin());
    --waiting_;
    auto& [record, until] = next.mapped();
    const auto overtaken = topic.written.find(record->key);
    if (overtaken != topic.written.end() && overtaken->second > next.key()) {
      record->outcome = fail(Code::kUnavailable, "a later one was published first", kRetryLaterMs);
      finished_.push_back(std::move(record));
    } else if (until < SteadyClock::now()) {
      fail_record(next.key(), std::move(record), &topic, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, false);
    } else {
      topic.alone = next.key();
      send(next.key(), std::move(record), until, topic);
    }
  }
  if (topic.in_flight > 0) return;
  topic.one_by_one = false;
  topic.alone = 0;
  topic.written.clear();
}

void KafkaHandle::delivered(const rd_kafka_message_t& message) {
  const auto number = reinterpret_cast<std::uintptr_t>(message._private);
  const auto found = in_flight_.find(number);
  HONGYAN_ASSERT(found != in_flight_.end());
  auto [record, until, topic] = std::move(found->second);
  in_flight_.erase(found);
  --topic->in_flight;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (topic->one_by_one) topic->written[record->key] = number;
    topic->trouble.clear();
    record->outcome = {};
    finished_.push_back(std::move(record));
    return;
  }
  if (message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && topic->alone != number && !fatal()) {
    topic->one_by_one = true;
    topic->waiting.emplace(number, Waiting{.record = std::move(record), .until = until});
    ++waiting_;
    return;
  }
  fail_record(number, std::move(record), topic, message.err,
              rd_kafka_message_status(&message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED);
}

std::string KafkaHandle::trouble() const {
  std::string text;
  for (const auto& [name, topic] : topics_) {
    const std::string words = topic.missing ? missing_words(name) : topic.trouble;
    if (!words.empty()) text += (text.empty() ? "" : "; ") + words;
  }
  return text;
}

std::string KafkaHandle::fatal_reason() const {
  std::array<char, 256> text{};
  const auto code = rd_kafka_fatal_error(rk_, text.data(), text.size());
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? std::string() : std::string(text.data());
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
  for (auto& [name, topic] : topics_) {
    rd_kafka_topic_destroy(topic.handle);
    for (auto& [number, waiting] : topic.waiting) {
      waiting.record->outcome = failure_of(RD_KAFKA_RESP_ERR__PURGE_QUEUE, false);
      lost_.emplace_back(number, std::move(waiting.record));
    }
  }
  waiting_ = 0;
  topics_.clear();
  rd_kafka_destroy(rk_);
  rk_ = nullptr;
  for (auto& [number, flight] : in_flight_) {
    flight.record->outcome = failure_of(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, true);
    lost_.emplace_back(number, std::move(flight.record));
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
  bool connected = false;
  for (const auto& broker : statistics.value("brokers", nlohmann::json::object())) {
    connected = connected || broker.value("state", "") == "UP";
  }
  const SteadyTime now = SteadyClock::now();
  if (connected && !connected_) connected_since_ = now;
  connected_ = connected;
  const auto topics = statistics.value("topics", nlohmann::json::object());
  const auto exists = [&topics](const std::string& name) {
    return topics.contains(name) &&
           topics[name].value("partitions", nlohmann::json::object()).size() > kLogicalPartition;
  };
  for (auto& [name, topic] : topics_) {
    const bool missing = connected_ && !exists(name);
    if (missing && !topic.missing && now - connected_since_ >= kTopicsAppear) {
      log::warn("kafka", "topic missing producer={} topic={}", options_.name, name);
      topic.missing = true;
    } else if (topic.missing && connected_ && !missing) {
      log::info("kafka", "topic found producer={} topic={}", options_.name, name);
      topic.missing = false;
      topic.trouble.clear();
    }
  }
  const auto& eos = statistics.value("eos", nlohmann::json::object());
  ready_ = ready_ || (connected_ && eos.value("idemp_state", "") == "Assigned" &&
                      std::ranges::all_of(options_.topics, exists));
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
