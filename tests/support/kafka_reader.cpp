#include "tests/support/kafka_reader.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <memory>

namespace hongyan::test {

namespace {

constexpr int kTimeoutMs = 20'000;

struct DestroyConsumer {
  void operator()(rd_kafka_t* rk) const {
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
  }
};
using Consumer = std::unique_ptr<rd_kafka_t, DestroyConsumer>;

Consumer make_consumer(const std::string& brokers) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  std::array<char, 512> error{};
  const auto set = [&](const char* name, const char* value) {
    if (rd_kafka_conf_set(conf, name, value, error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      ADD_FAILURE() << error.data();
    }
  };
  set("bootstrap.servers", brokers.c_str());
  set("group.id", "hongyan-test-reader");
  set("enable.auto.commit", "false");
  set("enable.partition.eof", "true");
  set("reconnect.backoff.max.ms", "500");
  rd_kafka_t* rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error.data(), error.size());
  if (rk == nullptr) {
    rd_kafka_conf_destroy(conf);
    ADD_FAILURE() << error.data();
    return nullptr;
  }
  rd_kafka_poll_set_consumer(rk);
  return Consumer(rk);
}

// Number of partitions of the topic; 0 after a failure.
int assign_all(rd_kafka_t* rk, const std::string& topic) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(rk, topic.c_str(), nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error = rd_kafka_metadata(rk, 0, handle, &metadata, kTimeoutMs);
  rd_kafka_topic_destroy(handle);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    ADD_FAILURE() << "no metadata of " << topic << ": " << rd_kafka_err2str(error);
    return 0;
  }
  const int partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; ++i) {
    rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  if (partitions > 0) rd_kafka_assign(rk, list);
  rd_kafka_topic_partition_list_destroy(list);
  EXPECT_GT(partitions, 0) << "there is no topic " << topic;
  return partitions;
}

KafkaMessage copy(const rd_kafka_message_t& from) {
  KafkaMessage out;
  out.partition = from.partition;
  out.offset = from.offset;
  out.key.assign(static_cast<const char*>(from.key), from.key_len);
  if (from.payload != nullptr) out.value.emplace(static_cast<const char*>(from.payload), from.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&from, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i) {
    out.headers[name].assign(static_cast<const char*>(value), size);
  }
  return out;
}

}  // namespace

std::vector<KafkaMessage> read_topic(const std::string& brokers, const std::string& topic) {
  std::vector<KafkaMessage> out;
  const Consumer consumer = make_consumer(brokers);
  if (!consumer) return out;
  int unfinished = assign_all(consumer.get(), topic);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs) * 3;
  while (unfinished > 0 && std::chrono::steady_clock::now() < until) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer.get(), 1000);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      out.push_back(copy(*message));
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      --unfinished;
    }
    rd_kafka_message_destroy(message);
  }
  EXPECT_EQ(unfinished, 0) << "the end of " << topic << " was not reached";
  return out;
}

void set_topic(const std::string& brokers, const std::string& topic, const std::string& name,
               const std::string& value) {
  const Consumer rk = make_consumer(brokers);
  if (!rk) return;
  const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue(
      rd_kafka_queue_new(rk.get()), rd_kafka_queue_destroy);
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_ConfigResource_set_config(resource, name.c_str(), value.c_str());
  rd_kafka_AlterConfigs(rk.get(), &resource, 1, nullptr, queue.get());
  rd_kafka_ConfigResource_destroy(resource);
  const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> done(
      rd_kafka_queue_poll(queue.get(), kTimeoutMs), rd_kafka_event_destroy);
  const rd_kafka_AlterConfigs_result_t* result =
      done ? rd_kafka_event_AlterConfigs_result(done.get()) : nullptr;
  if (result == nullptr) {
    ADD_FAILURE() << "no answer about " << topic;
    return;
  }
  std::size_t count = 0;
  const auto* const* resources = rd_kafka_AlterConfigs_result_resources(result, &count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(rd_kafka_ConfigResource_error(resources[i]), RD_KAFKA_RESP_ERR_NO_ERROR)
        << rd_kafka_ConfigResource_error_string(resources[i]);
  }
}

std::string header(const KafkaMessage& message, const std::string& name) {
  const auto found = message.headers.find(name);
  return found == message.headers.end() ? "" : found->second;
}

}  // namespace hongyan::test
