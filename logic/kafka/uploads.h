// Uploads as messages of Kafka.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "logic/kafka/producer.h"
#include "logic/message/upload_sink.h"

namespace hongyan::logic {

// The topic is prefix and destination, the key the uid, the value the client's bytes, the headers those of
// docs/protocol.md (CloudEvents 1.0, binary mode). Threads as KafkaProducer.
class KafkaUploads : public UploadSink {
 public:
  // reports: called on the producer's thread; outlives this object.
  [[nodiscard]] static Result<std::unique_ptr<KafkaUploads>> create(KafkaProducer::Options options,
                                                                    std::string topic_prefix,
                                                                    UploadReports& reports);
  [[nodiscard]] Status publish(UploadWorkPtr& upload) override;
  [[nodiscard]] KafkaProducer& producer() noexcept { return *producer_; }

 private:
  KafkaUploads(std::string topic_prefix, UploadReports& reports)
      : topic_prefix_(std::move(topic_prefix)), reports_(reports) {}
  void finished(std::vector<KafkaRecordPtr> records);

  const std::string topic_prefix_;
  UploadReports& reports_;
  std::unique_ptr<KafkaProducer> producer_;
};

}  // namespace hongyan::logic
