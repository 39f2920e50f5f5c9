// librdkafka's producer handle: set up, fed and read. Only KafkaProducer includes this.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
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
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size(); }
  void raise_fatal_error();

 private:
  explicit KafkaHandle(const KafkaProducer::Options& options) : options_(options) {}
  [[nodiscard]] Status open(int wake_fd);
  [[nodiscard]] rd_kafka_topic_t* topic(const std::string& name);
  void delivered(const rd_kafka_message_t& message);
  void read_statistics(std::string_view json);

  static void on_delivery(rd_kafka_t* rk, const rd_kafka_message_t* message, void* self);
  static int on_statistics(rd_kafka_t* rk, char* json, std::size_t size, void* self);
  static void on_error(rd_kafka_t* rk, int code, const char* reason, void* self);
  static void on_log(const rd_kafka_t* rk, int level, const char* facility, const char* text);

  const KafkaProducer::Options& options_;
  rd_kafka_t* rk_ = nullptr;
  std::unordered_map<std::string, rd_kafka_topic_t*> topics_;  // few: what an allow-list names
  std::unordered_map<std::uint64_t, KafkaRecordPtr> in_flight_;
  std::uint64_t next_number_ = 1;
  std::vector<KafkaRecordPtr> finished_;
  std::vector<std::pair<std::uint64_t, KafkaRecordPtr>> lost_;  // by a fatal error or abandon()
  bool connected_ = false;
  bool ready_ = false;
};

}  // namespace hongyan::logic
