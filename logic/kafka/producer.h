// A producer for Kafka on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"

namespace hongyan::logic {

class KafkaHandle;

// A message for Kafka. It is moved into the producer and comes back with its outcome.
struct KafkaRecord {
  KafkaRecord() = default;
  KafkaRecord(const KafkaRecord&) = delete;
  KafkaRecord& operator=(const KafkaRecord&) = delete;
  virtual ~KafkaRecord() = default;

  std::string topic;
  std::string key;    // the same key goes to the same partition, by murmur2 as in Java's clients; not empty
  std::string value;  // any bytes; empty is not null
  std::vector<std::pair<std::string, std::string>> headers;

  // Set when it comes back. OK: written and, by acks=all, on every in-sync replica. kUnavailable: surely not
  // written. kDeadlineExceeded: perhaps. kTooLarge: for good.
  Status outcome;
};
using KafkaRecordPtr = std::unique_ptr<KafkaRecord>;

// Idempotent (librdkafka's retries neither double nor reorder), acks=all. Owned by whoever makes it.
//
// Threads: produce() only queues, under a lock that is never held during I/O, so any thread may call it,
// event loops too. All of librdkafka's calls, `finished` included, run on the producer's own thread.
//
// Order: records of one key and topic reach the partition in the order of produce(); a record that fails
// leaves a gap and does not hold up later ones. Memory: at most max_bytes and max_records, from produce()
// until the record has come back; past either produce() refuses.
//
// Failure: brokers that are away are waited for, each record until `timeout`. After a fatal error of
// librdkafka (a broker lost the producer's state, say) the producer is made anew: with retry_lost, what was
// under way is sent again in its order, and may then stand in the topic twice; else it comes back failed.
class KafkaProducer {
 public:
  struct Options {
    std::string name;  // in logs
    std::vector<std::string> brokers;
    std::vector<std::string> properties;  // "name=value"
    std::string sasl_password;
    std::vector<std::string> topics;  // to be looked up, and so created where brokers do that, before use
    Milliseconds timeout{1500};       // for a record; the report may come a second later
    Milliseconds linger{1};
    std::size_t max_bytes = 64 << 20;
    std::size_t max_records = 100'000;
    bool retry_lost = false;
    // A topic that is not there fails records at once when so much has passed since it was first used;
    // before, they wait for it.
    Milliseconds missing_topic_patience{3000};
  };
  // Called on the producer's thread with what has come back, in batches.
  using Finished = std::function<void(std::vector<KafkaRecordPtr>)>;

  // Connects in the background. An error is one of the options: kBadRequest.
  [[nodiscard]] static Result<std::unique_ptr<KafkaProducer>> create(Options options, Finished finished);
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  // Waits until the first record would go out at once: connected, producer id assigned, topics known. False
  // when that takes longer.
  bool wait_ready(Milliseconds most);

  // Taken (record is null then), or refused: kUnavailable.
  [[nodiscard]] Status produce(KafkaRecordPtr& record);

  // Refuses from now on; what is under way gets so long; all of it has come back on return. Once.
  void stop(Milliseconds most);

  // For the metrics page and health; any thread.
  [[nodiscard]] bool connected() const noexcept { return connected_; }
  // Why something or all cannot be written, in words for operators; "" when it can.
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t queued_records() const noexcept { return records_; }

  // Makes librdkafka report a fatal error, as a broker could cause it. For tests.
  void raise_fatal_error() noexcept {
    raise_fatal_ = true;
    wake();
  }

 private:
  KafkaProducer(Options options, Finished finished);

  void run();
  void wake() noexcept;
  void wait_for_work(Milliseconds most) const;
  // Submits what is queued, serves librdkafka, hands back what is through.
  void turn();
  void log_refusals();
  void hand_back(std::vector<KafkaRecordPtr> records);
  void renew();
  void tell_trouble();
  void drain(SteadyTime until);
  [[nodiscard]] static std::size_t cost(const KafkaRecord& record) noexcept;

  const Options options_;
  const Finished finished_;
  const int wake_fd_;  // an eventfd: something is queued, or librdkafka has news

  std::atomic<bool> connected_ = false;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> raise_fatal_ = false;
  std::atomic<std::uint64_t> delivered_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<std::size_t> records_ = 0;

  mutable std::mutex mutex_;
  std::string trouble_ = "not connected yet";  // guarded
  std::vector<KafkaRecordPtr> queue_;          // guarded
  SteadyTime stop_by_{};                       // guarded; set with stopping_
  std::atomic<bool> stopping_ = false;

  std::unique_ptr<KafkaHandle> handle_;  // thread only, once it runs
  std::uint64_t unreported_failures_ = 0;
  SteadyTime failures_reported_{};
  std::string reported_reason_;
  SteadyTime renewed_{};
  std::string fatal_reason_;
  std::uint64_t logged_refusals_ = 0;
  SteadyTime refusals_logged_{};
  std::thread thread_;
};

}  // namespace hongyan::logic
