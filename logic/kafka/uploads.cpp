#include "logic/kafka/uploads.h"

#include "logic/kafka/cloud_event.h"
#include "logic/user/device_name.h"

namespace hongyan::logic {

namespace {

struct UploadRecord : KafkaRecord {
  UploadWorkPtr work;
};

}  // namespace

Result<std::unique_ptr<KafkaUploads>> KafkaUploads::create(KafkaProducer::Options options,
                                                           std::string topic_prefix, UploadReports& reports) {
  std::unique_ptr<KafkaUploads> uploads(new KafkaUploads(std::move(topic_prefix), reports));
  auto producer = KafkaProducer::create(
      std::move(options),
      [self = uploads.get()](std::vector<KafkaRecordPtr> records) { self->finished(std::move(records)); });
  if (!producer) return std::unexpected(producer.error());
  uploads->producer_ = std::move(*producer);
  return uploads;
}

Status KafkaUploads::publish(UploadWorkPtr& upload) {
  auto record = std::make_unique<UploadRecord>();
  record->topic = topic_prefix_ + upload->destination;
  record->key = upload->uid;
  record->headers = {{"ce_specversion", "1.0"},
                     {"ce_id", std::to_string(upload->msg_id)},
                     {"ce_source", event_source(upload->app_id)},
                     {"ce_type", "hongyan.c2s.v1"},
                     {"ce_subject", upload->uid},
                     {"ce_time", rfc3339(upload->time_ms)},
                     {"hongyan_device_type", device_name(upload->device_type)},
                     {"hongyan_client_msg_id", upload->client_msg_id}};
  record->value = std::move(upload->content);
  record->work = std::move(upload);
  KafkaRecordPtr given = std::move(record);
  auto taken = producer_->produce(given);
  if (!taken) upload = std::move(static_cast<UploadRecord&>(*given).work);
  return taken;
}

void KafkaUploads::finished(std::vector<KafkaRecordPtr> records) {
  std::vector<UploadWorkPtr> batch;
  batch.reserve(records.size());
  for (auto& record : records) {
    auto& upload = static_cast<UploadRecord&>(*record);
    upload.work->outcome = std::move(upload.outcome);
    batch.push_back(std::move(upload.work));
  }
  reports_.uploads_finished(std::move(batch));
}

}  // namespace hongyan::logic
