// Hands finished work back to the slot threads that made it.
#pragma once

#include <vector>

#include "logic/app/gate_links.h"
#include "logic/message/upload_sink.h"
#include "logic/store/rows.h"

namespace hongyan::logic {

// Called on writer threads and Kafka's; posts to each slot thread once a batch.
class WorkRouter : public WriterSink, public UploadReports {
 public:
  // Set once, before the shards and Kafka have work.
  void set_threads(std::vector<ThreadOnLoop> threads) { threads_ = std::move(threads); }
  void completed(std::vector<WriterWorkPtr> batch) override;
  void uploads_finished(std::vector<UploadWorkPtr> batch) override;

 private:
  std::vector<ThreadOnLoop> threads_;
};

}  // namespace hongyan::logic
