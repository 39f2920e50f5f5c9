// Hands finished writer work to the slot threads that made it.
#pragma once

#include <vector>

#include "logic/gate_links.h"
#include "logic/store/rows.h"

namespace hongyan::logic {

// Called on writer threads; posts to each slot thread once a batch.
class WorkRouter : public WriterSink {
 public:
  // Set once, before the shards start.
  void set_threads(std::vector<ThreadOnLoop> threads) { threads_ = std::move(threads); }
  void completed(std::vector<WriterWorkPtr> batch) override;

 private:
  std::vector<ThreadOnLoop> threads_;
};

}  // namespace hongyan::logic
