// Against a real broker, whose address is HONGYAN_KAFKA.
#include "logic/kafka/producer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <random>

#include "tests/support/kafka_reader.h"
#include "tools/support/cluster.h"

namespace hongyan::logic {
namespace {

class KafkaProducerTest : public ::testing::Test {
 protected:
  KafkaProducerTest() : topic_(tools::unique("producer")) {
    const char* brokers = std::getenv("HONGYAN_KAFKA");
    if (brokers != nullptr) brokers_ = brokers;
    EXPECT_FALSE(brokers_.empty());
  }

  KafkaProducer::Options options() {
    KafkaProducer::Options out;
    out.name = "test";
    out.brokers = {brokers_};
    out.topics = {topic_};
    out.timeout = Milliseconds(10'000);
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
  Status produce(const std::string& key, std::string value) {
    auto record = std::make_unique<KafkaRecord>();
    record->topic = topic_;
    record->key = key;
    record->value = std::move(value);
    record->headers = {{"number", std::to_string(produced_++)}};
    KafkaRecordPtr given = std::move(record);
    return producer_->produce(given);
  }
  // Waits until so many have come back.
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(news_.wait_for(lock, std::chrono::seconds(30), [&] { return finished_.size() >= count; }))
        << finished_.size() << " of " << count;
  }

  std::string brokers_, topic_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<KafkaRecordPtr> finished_;
  int produced_ = 0;
  std::unique_ptr<KafkaProducer> producer_;
};

TEST_F(KafkaProducerTest, KeepsBytesHeadersAndTheJavaPartition) {
  start(options());
  ASSERT_TRUE(producer_->wait_ready(Milliseconds(20'000)));
  EXPECT_TRUE(producer_->connected());
  std::string large(60 << 10, 'x');
  std::mt19937 random(1);
  for (auto& byte : large) byte = static_cast<char>(random());
  const std::vector<std::string> values = {"plain", "", std::string("\0 \xff\0", 4), "鸿雁 🪿", large};
  for (const auto& value : values) ASSERT_TRUE(produce("alice", value));
  ASSERT_TRUE(produce("bob", "x"));
  ASSERT_TRUE(produce("21", "x"));
  wait_for(values.size() + 2);
  for (const auto& record : finished_) EXPECT_TRUE(record->outcome) << record->outcome.error().message;
  EXPECT_EQ(producer_->queued_bytes(), 0U);
  EXPECT_EQ(producer_->queued_records(), 0U);
  EXPECT_EQ(producer_->delivered(), values.size() + 2);

  std::map<std::string, std::vector<test::KafkaMessage>> by_key;
  for (auto& message : test::read_topic(brokers_, topic_)) by_key[message.key].push_back(message);
  ASSERT_EQ(by_key["alice"].size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_TRUE(by_key["alice"][i].value) << "null instead of empty";
    EXPECT_EQ(*by_key["alice"][i].value, values[i]);
    EXPECT_EQ(test::header(by_key["alice"][i], "number"), std::to_string(i));
  }
  // murmur2 as in org.apache.kafka.common.utils.Utils: "21" is one of its test vectors (-973932308).
  ASSERT_EQ(by_key["21"].size(), 1U);
  EXPECT_EQ(by_key["21"][0].partition, (-973'932'308 & 0x7fffffff) % 4);
}

TEST_F(KafkaProducerTest, KeepsTheOrderOfAKeyFromManyThreads) {
  start(options());
  ASSERT_TRUE(producer_->wait_ready(Milliseconds(20'000)));
  constexpr int kEach = 2000;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kEach; ++i) {
        auto record = std::make_unique<KafkaRecord>();
        record->topic = topic_;
        record->key = fmt::format("user-{}", t);
        record->value = std::to_string(i);
        KafkaRecordPtr given = std::move(record);
        EXPECT_TRUE(producer_->produce(given));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  wait_for(4UL * kEach);
  std::map<std::string, int> next;
  for (const auto& message : test::read_topic(brokers_, topic_)) {
    EXPECT_EQ(*message.value, std::to_string(next[message.key]++));
  }
  for (int t = 0; t < 4; ++t) EXPECT_EQ(next[fmt::format("user-{}", t)], kEach);
}

TEST_F(KafkaProducerTest, FirstMessageOfAnUnknownTopicIsTaken) {
  auto without = options();
  without.topics.clear();
  start(without);
  ASSERT_TRUE(produce("alice", "first"));
  wait_for(1);
  EXPECT_TRUE(finished_[0]->outcome) << finished_[0]->outcome.error().message;
}

TEST_F(KafkaProducerTest, TooLargeIsFinal) {
  start(options());
  ASSERT_TRUE(produce("alice", std::string(2 << 20, 'x')));
  ASSERT_TRUE(produce("alice", "after"));
  wait_for(2);
  ASSERT_FALSE(finished_[0]->outcome);
  EXPECT_EQ(finished_[0]->outcome.error().code, Code::kTooLarge);
  EXPECT_TRUE(finished_[1]->outcome);
}

TEST_F(KafkaProducerTest, AwayMeansSurelyNotWrittenAndABoundedQueue) {
  auto away = options();
  away.brokers = {"127.0.0.1:1"};
  away.timeout = Milliseconds(500);
  away.max_bytes = 20'000;
  start(away);
  EXPECT_FALSE(producer_->wait_ready(Milliseconds(100)));
  std::size_t taken = 0;
  Status refused;
  while ((refused = produce("alice", std::string(1000, 'x')))) ASSERT_LT(++taken, 100U);
  EXPECT_GE(taken, 10U);
  EXPECT_LT(taken, 20U);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_GT(refused.error().retry_after_ms, 0U);
  EXPECT_EQ(producer_->refused(), 1U);
  const SteadyTime begun = SteadyClock::now();
  wait_for(taken);
  EXPECT_LT(SteadyClock::now() - begun, Milliseconds(2000)) << "the report comes a second late at most";
  for (const auto& record : finished_) {
    ASSERT_FALSE(record->outcome);
    EXPECT_EQ(record->outcome.error().code, Code::kUnavailable);
  }
  EXPECT_FALSE(producer_->connected());
  EXPECT_TRUE(produce("alice", "there is room again"));
}

TEST_F(KafkaProducerTest, GoesOnAfterAFatalErrorAndRetriesWhatWasUnderWay) {
  auto retrying = options();
  retrying.retry_lost = true;
  retrying.linger = Milliseconds(300);  // so that something is under way
  start(retrying);
  ASSERT_TRUE(producer_->wait_ready(Milliseconds(20'000)));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(produce("alice", std::to_string(i)));
  producer_->raise_fatal_error();
  for (int i = 50; i < 100; ++i) ASSERT_TRUE(produce("alice", std::to_string(i)));
  wait_for(100);
  for (const auto& record : finished_) EXPECT_TRUE(record->outcome) << record->outcome.error().message;
  int next = 0;
  for (const auto& message : test::read_topic(brokers_, topic_)) {
    if (*message.value == std::to_string(next)) ++next;  // copies may stand between
  }
  EXPECT_EQ(next, 100);
}

TEST_F(KafkaProducerTest, WithoutRetryAFatalErrorFailsWhatWasUnderWay) {
  auto given = options();
  given.linger = Milliseconds(500);
  start(given);
  ASSERT_TRUE(producer_->wait_ready(Milliseconds(20'000)));
  ASSERT_TRUE(produce("alice", "lost"));
  producer_->raise_fatal_error();
  wait_for(1);
  EXPECT_FALSE(finished_[0]->outcome);
  ASSERT_TRUE(produce("alice", "later"));
  wait_for(2);
  EXPECT_TRUE(finished_[1]->outcome) << finished_[1]->outcome.error().message;
}

TEST_F(KafkaProducerTest, StopFlushesAndThenRefuses) {
  auto slow = options();
  slow.linger = Milliseconds(200);
  start(slow);
  ASSERT_TRUE(producer_->wait_ready(Milliseconds(20'000)));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(produce("alice", std::to_string(i)));
  producer_->stop(Milliseconds(5000));
  ASSERT_EQ(finished_.size(), 10U);
  for (const auto& record : finished_) EXPECT_TRUE(record->outcome);
  EXPECT_EQ(produce("alice", "too late").error().code, Code::kUnavailable);
}

TEST_F(KafkaProducerTest, StopGivesEverythingBackWhileKafkaIsAway) {
  auto away = options();
  away.brokers = {"127.0.0.1:1"};
  start(away);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(produce("alice", std::to_string(i)));
  const SteadyTime begun = SteadyClock::now();
  producer_->stop(Milliseconds(300));
  EXPECT_LT(SteadyClock::now() - begun, Milliseconds(3000));
  ASSERT_EQ(finished_.size(), 10U);
  for (const auto& record : finished_) EXPECT_FALSE(record->outcome);
}

TEST_F(KafkaProducerTest, RefusesBadProperties) {
  auto wrong = options();
  wrong.properties = {"no.such.property=1"};
  const auto made = KafkaProducer::create(wrong, [](const std::vector<KafkaRecordPtr>&) {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kBadRequest);
  EXPECT_NE(made.error().message.find("no.such.property"), std::string::npos);
}

}  // namespace
}  // namespace hongyan::logic
