// librdkafka's producer handle: set up, fed and read. Only KafkaProducer includes this.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "logic/kafka/producer.h"

namespace hongyan::logic {

// One life of a KafkaProducer, until a fatal error. One thread.
class KafkaHandle {
 public:
  // wake_fd: a non-blocking eventfd that librdkafka writes to when it has news; outlives the handle.
  [[nodiscard]] static Result<std::unique_ptr<KafkaHandle>> create(const KafkaProducer::Options& options,
                                                                   int wake_fd);
  // Quick once abandon() was called.
  ~KafkaHandle();
  KafkaHandle(const KafkaHandle&) = delete;
  KafkaHandle& operator=(const KafkaHandle&) = delete;

  // Takes the record; it turns up in take_finished() or abandon().
  //
  // A broker refuses a batch as a whole when it is larger than the topic takes, be it one record's fault or
  // nobody's. Then this topic's records go one by one, in their order, until none waits; only what is refused
  // alone is too large. Who was overtaken by a later record of the same key is refused for now.
  void submit(KafkaRecordPtr record);
  // Serves librdkafka's callbacks without waiting.
  void poll();
  [[nodiscard]] std::vector<KafkaRecordPtr> take_finished() { return std::exchange(finished_, {}); }

  // Gives up: returns, in the order of submit(), what neither was written nor came back for a reason of its
  // own; outcomes are set. Waits up to half a second for connections to be cut.
  [[nodiscard]] std::vector<KafkaRecordPtr> abandon();

  // No record will ever be written again.
  [[nodiscard]] bool fatal() const;
  [[nodiscard]] bool connected() const noexcept { return connected_; }
  // A producer id is assigned and the topics are known.
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size() + waiting_; }
  // Why some topic cannot be written, in words for operators; "" when all can.
  [[nodiscard]] std::string trouble() const;
  // Why fatal().
  [[nodiscard]] std::string fatal_reason() const;
  void raise_fatal_error();

 private:
  explicit KafkaHandle(const KafkaProducer::Options& options) : options_(options) {}
  [[nodiscard]] Status open(int wake_fd);
  struct Waiting {
    KafkaRecordPtr record;
    SteadyTime until;
  };
  struct Topic {
    std::string name;
    rd_kafka_topic_t* handle = nullptr;
    std::size_t in_flight = 0;
    bool missing = false;  // no partitions while a broker answers
    std::string trouble;   // of the last record that failed; "" after one that was written
    bool one_by_one = false;
    std::uint64_t alone = 0;                                 // the record under way then
    std::map<std::uint64_t, Waiting> waiting;                // by number
    std::unordered_map<std::string, std::uint64_t> written;  // by key, meanwhile: the last number
  };
  [[nodiscard]] Topic* topic(const std::string& name);
  void send(std::uint64_t number, KafkaRecordPtr record, SteadyTime until, Topic& topic);
  // The next of a topic whose records go one by one.
  void send_next(Topic& topic);
  void fail_record(std::uint64_t number, KafkaRecordPtr record, Topic* topic, rd_kafka_resp_err_t code,
                   bool perhaps_written);
  void delivered(const rd_kafka_message_t& message);
  void read_statistics(std::string_view json);

  static void on_delivery(rd_kafka_t* rk, const rd_kafka_message_t* message, void* self);
  static int on_statistics(rd_kafka_t* rk, char* json, std::size_t size, void* self);
  static void on_error(rd_kafka_t* rk, int code, const char* reason, void* self);
  static void on_log(const rd_kafka_t* rk, int level, const char* facility, const char* text);

  const KafkaProducer::Options& options_;
  rd_kafka_t* rk_ = nullptr;
  std::unordered_map<std::string, Topic> topics_;  // few: what an allow-list names
  struct Flight {
    KafkaRecordPtr record;
    SteadyTime until;
    Topic* topic;
  };
  std::unordered_map<std::uint64_t, Flight> in_flight_;
  std::size_t waiting_ = 0;
  std::uint64_t next_number_ = 1;
  std::vector<KafkaRecordPtr> finished_;
  std::vector<std::pair<std::uint64_t, KafkaRecordPtr>> lost_;  // by a fatal error or abandon()
  bool connected_ = false;
  SteadyTime connected_since_{};
  bool ready_ = false;
};

}  // namespace hongyan::logic
