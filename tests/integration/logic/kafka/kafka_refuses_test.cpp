// Against librdkafka's own mock of a cluster: topics and answers that a real one shows only when it is hurt.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
// Needs the one before.
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <condition_variable>
#include <mutex>

#include "logic/kafka/producer.h"

namespace hongyan::logic {
namespace {

constexpr std::int16_t kProduce = 0;  // Kafka's number of the request
constexpr std::int16_t kInitProducerId = 22;
constexpr const char* kTopic = "im.c2s.feedback";
constexpr std::chrono::seconds kPatience{20};

class KafkaRefusesTest : public ::testing::Test {
 protected:
  KafkaRefusesTest() {
    std::array<char, 256> error{};
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "2", nullptr, 0);
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size());
    cluster_ = rd_kafka_mock_cluster_new(host_, 1);
    rd_kafka_mock_topic_create(cluster_, kTopic, 1, 1);
  }
  ~KafkaRefusesTest() override {
    producer_.reset();
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(host_);
  }
  KafkaRefusesTest(const KafkaRefusesTest&) = delete;
  KafkaRefusesTest& operator=(const KafkaRefusesTest&) = delete;

  KafkaProducer::Options options() {
    KafkaProducer::Options out;
    out.name = "test";
    out.brokers = {rd_kafka_mock_cluster_bootstraps(cluster_)};
    out.topics = {kTopic};
    out.timeout = Milliseconds(5000);
    out.missing_topic_patience = Milliseconds(0);
    return out;
  }
  void start(KafkaProducer::Options options) {
    auto made = KafkaProducer::create(std::move(options), [this](std::vector<KafkaRecordPtr> records) {
      const std::lock_guard lock(mutex_);
      for (auto& record : records) finished_.push_back(std::move(record));
      news_.notify_all();
    });
    ASSERT_TRUE(made) << made.error().message;
    producer_ = std::move(*made);
  }
  void produce(const std::string& key, std::string value) {
    auto record = std::make_unique<KafkaRecord>();
    record->topic = kTopic;
    record->key = key;
    record->value = std::move(value);
    record->headers = {{"ce_id", "1"}, {"ce_source", "/hongyan/app"}};
    KafkaRecordPtr given = std::move(record);
    ASSERT_TRUE(producer_->produce(given));
  }
  // What came of the next that come back, in that order.
  std::vector<KafkaRecordPtr> next(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(news_.wait_for(lock, kPatience, [&] { return finished_.size() >= count; }));
    return std::exchange(finished_, {});
  }
  bool trouble_becomes(const std::string& words) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (producer_->trouble() != words) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }
  void topic_answers(rd_kafka_resp_err_t error) { rd_kafka_mock_topic_set_error(cluster_, kTopic, error); }

  rd_kafka_t* host_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<KafkaRecordPtr> finished_;
  std::unique_ptr<KafkaProducer> producer_;
};

TEST_F(KafkaRefusesTest, ATopicThatWasNeverMadeRefusesAndIsNamedWithoutAMessage) {
  topic_answers(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const SteadyTime begun = SteadyClock::now();
  start(options());
  EXPECT_TRUE(trouble_becomes(std::string("topic missing: ") + kTopic)) << producer_->trouble();
  EXPECT_LT(SteadyClock::now() - begun, std::chrono::seconds(5));
  for (int i = 0; i < 10; ++i) produce("alice", "x");
  for (const auto& record : next(10)) {
    ASSERT_FALSE(record->outcome);
    EXPECT_EQ(record->outcome.error().code, Code::kUnavailable);
    EXPECT_EQ(record->outcome.error().message, "the destination's topic is missing");
  }
  topic_answers(RD_KAFKA_RESP_ERR_NO_ERROR);
  EXPECT_TRUE(trouble_becomes("")) << producer_->trouble();
  produce("alice", "x");
  EXPECT_TRUE(next(1)[0]->outcome);
  EXPECT_EQ(producer_->failed(), 10U);
}

TEST_F(KafkaRefusesTest, ATopicThatIsDeletedIsNoticedWithoutAMessage) {
  start(options());
  ASSERT_TRUE(producer_->wait_ready(kPatience));
  produce("alice", "x");
  EXPECT_TRUE(next(1)[0]->outcome);
  EXPECT_EQ(producer_->trouble(), "");
  topic_answers(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  EXPECT_TRUE(trouble_becomes(std::string("topic missing: ") + kTopic)) << producer_->trouble();
  for (int i = 0; i < 3; ++i) produce("alice", "x");
  for (const auto& record : next(3)) EXPECT_EQ(record->outcome.error().code, Code::kUnavailable);
}

// Events wait for their topic as they wait for a broker.
TEST_F(KafkaRefusesTest, WhoHasPatienceWaitsForItsTopic) {
  topic_answers(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  auto patient = options();
  patient.timeout = patient.missing_topic_patience = std::chrono::minutes(5);
  start(patient);
  for (int i = 0; i < 10; ++i) produce("alice", "x");
  EXPECT_TRUE(trouble_becomes(std::string("topic missing: ") + kTopic)) << producer_->trouble();
  EXPECT_EQ(producer_->failed(), 0U);
  topic_answers(RD_KAFKA_RESP_ERR_NO_ERROR);
  for (const auto& record : next(10)) EXPECT_TRUE(record->outcome);
}

TEST_F(KafkaRefusesTest, ATopicThatMayNotBeWrittenRefusesAndIsNamed) {
  start(options());
  ASSERT_TRUE(producer_->wait_ready(kPatience));
  rd_kafka_mock_push_request_errors(cluster_, kProduce, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  produce("alice", "x");
  const auto refused = next(1);
  EXPECT_EQ(refused[0]->outcome.error().code, Code::kUnavailable);
  EXPECT_EQ(refused[0]->outcome.error().message, "the destination's topic may not be written");
  EXPECT_TRUE(trouble_becomes(std::string("topic may not be written by this user: ") + kTopic));
  // librdkafka remembers it until it asks for the topic again.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  do {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << producer_->trouble();
    produce("alice", "x");
  } while (!next(1)[0]->outcome);
  EXPECT_TRUE(trouble_becomes(""));
}

TEST_F(KafkaRefusesTest, ABatchThatIsTooLargeGoesAgainOneByOneInOrder) {
  auto slow = options();
  slow.linger = Milliseconds(200);  // so that they share a batch
  start(slow);
  ASSERT_TRUE(producer_->wait_ready(kPatience));
  // The batch, and then the fifth alone.
  const auto large = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
  const auto good = RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_mock_push_request_errors(cluster_, kProduce, 6, large, good, good, good, good, large);
  for (int i = 0; i < 21; ++i) produce(i % 2 == 0 ? "alice" : "bob", std::to_string(i));
  const auto records = next(21);
  ASSERT_EQ(records.size(), 21U);
  for (int i = 0; i < 21; ++i) {
    const auto& record = *records[static_cast<std::size_t>(i)];
    EXPECT_EQ(record.value, std::to_string(i));
    if (i == 4) {
      ASSERT_FALSE(record.outcome);
      EXPECT_EQ(record.outcome.error().code, Code::kTooLarge);
    } else {
      EXPECT_TRUE(record.outcome) << record.outcome.error().message;
    }
  }
  EXPECT_EQ(producer_->queued_records(), 0U);
  EXPECT_EQ(producer_->trouble(), "");
}

TEST_F(KafkaRefusesTest, WhatGoesOneByOneComesBackAtStop) {
  auto slow = options();
  slow.linger = Milliseconds(100);
  start(slow);
  ASSERT_TRUE(producer_->wait_ready(kPatience));
  rd_kafka_mock_push_request_errors(cluster_, kProduce, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  for (int i = 0; i < 500; ++i) produce("alice", std::to_string(i));
  producer_->stop(Milliseconds(300));
  EXPECT_EQ(next(500).size(), 500U);
}

TEST_F(KafkaRefusesTest, AProducerThatIsNotLetInIsNotMadeAnewAtOnce) {
  for (int i = 0; i < 100; ++i) {
    rd_kafka_mock_push_request_errors(cluster_, kInitProducerId, 1,
                                      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
  }
  start(options());
  produce("alice", "x");
  const auto refused = next(1);
  EXPECT_FALSE(refused[0]->outcome);
  EXPECT_NE(producer_->trouble(), "");
}

}  // namespace
}  // namespace hongyan::logic
