// Where uploads go: the port to Kafka, without Kafka.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/msg_id.h"
#include "common/base/result.h"

namespace hongyan::logic {

// An upload on its way. It is moved into the sink and comes back with its outcome.
struct UploadWork {
  std::string app_id;
  std::string uid;
  std::string destination;
  std::string client_msg_id;
  std::string content;  // any bytes; the sink may have taken them
  std::uint32_t device_type = 0;
  MsgId msg_id = 0;
  std::int64_t time_ms = 0;
  std::uint32_t thread = 0;  // the slot thread it goes back to

  // Set when it comes back. kUnavailable: surely not published. kDeadlineExceeded: perhaps published. Others
  // are final.
  Status outcome;
};
using UploadWorkPtr = std::unique_ptr<UploadWork>;

// Publishes uploads. Any thread; never blocks.
//
// Order: uploads of one user to one destination are published in the order of publish(). One that fails loses
// its place; one that failed with an unknown outcome may, when it is published again, stand in the topic
// twice, but its first copy then stands before everything that was given to publish() after the second
// attempt succeeded.
class UploadSink {
 public:
  virtual ~UploadSink() = default;
  // Taken (upload is null then), or refused at once: kUnavailable when too much waits. What was taken comes
  // back once, on the slot thread, by Pipeline::uploads_finished().
  [[nodiscard]] virtual Status publish(UploadWorkPtr& upload) = 0;
};

// Takes uploads back from the sink, which calls it on a thread of its own.
class UploadReports {
 public:
  virtual ~UploadReports() = default;
  virtual void uploads_finished(std::vector<UploadWorkPtr> batch) = 0;
};

// Where each app's users may upload to. Immutable after start; any thread.
class UploadDestinations {
 public:
  void allow(const std::string& app_id, const std::string& destination) {
    by_app_[app_id].insert(destination);
  }
  [[nodiscard]] bool allowed(std::string_view app_id, std::string_view destination) const {
    const auto app = by_app_.find(app_id);
    return app != by_app_.end() && app->second.contains(destination);
  }

 private:
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> by_app_;
};

// What the pipeline needs for uploads; all of it outlives the slot threads.
struct UploadPort {
  UploadSink* sink = nullptr;                        // null: none is configured
  const UploadDestinations* destinations = nullptr;  // set when sink is
  Milliseconds timeout{2500};                        // then the outcome counts as unknown
};

}  // namespace hongyan::logic
