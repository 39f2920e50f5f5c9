// The slot threads of the daemon: loops with a pipeline each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/net/event_loop.h"
#include "logic/app/config.h"
#include "logic/app/node_links.h"
#include "logic/message/upload_sink.h"
#include "logic/pipeline/pipeline.h"
#include "logic/redis/routes.h"
#include "logic/store/shard.h"

namespace hongyan::logic {

class SlotThreads;

// An event loop, the pipeline of its slots and its connection to Redis. The pipeline is reached by run() and
// now() only, which end the turn.
class SlotThread : private PipelineHost {
 public:
  // What all pipelines share; it outlives them.
  struct Shared {
    const LogicConfig& config;
    const RulesOfApps& rules;
    ShardSet& shards;
    MsgIdClock& clock;
    const auth::TokenVerifier& verifier;
    UploadPort uploads;
    EventSink* events = nullptr;
    const link::Identity& identity;
  };
  SlotThread(SlotThreads& all, std::uint32_t index, const Shared& shared);

  // f(pipeline) on the slot thread, later, as a turn. Any thread.
  template <typename F>
  void run(F f) {
    loop_.post([this, f = std::move(f)]() mutable { now(f); });
  }
  // The same at once. On the slot thread.
  template <typename F>
  void now(F&& f) {
    f(pipeline_);
    pipeline_.end_turn();
  }

  // The live logic nodes. Any thread.
  void set_nodes(const std::vector<link::Member>& nodes);

  // marker: names this thread of this process in Redis, which has lost everything when it does not know it.
  void start(std::string marker);
  // Refuses turns of the clock; the loop goes on until join().
  void stop();
  void join();

  [[nodiscard]] net::EventLoop& loop() noexcept { return loop_; }
  [[nodiscard]] const PipelineCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const RedisClient& redis() const noexcept { return *redis_; }

 private:
  void later(std::function<void()> f) override;
  void mail(std::uint32_t thread, ThreadMail mail) override;
  [[nodiscard]] static net::Awaitable<> tick(SlotThread* self, std::string marker);

  SlotThreads& all_;
  PipelineCounters counters_;
  net::EventLoop loop_;
  const std::shared_ptr<RedisClient> redis_;
  RedisRoutes routes_;
  Pipeline pipeline_;
  NodeLinks nodes_;
  bool stopped_ = false;  // loop only
};

// All of them; slot s belongs to number s mod size(). Takes finished work back from writers and from Kafka, on
// their threads, and hands it on once a thread and batch.
class SlotThreads : public WriterSink, public UploadReports {
 public:
  // Once, before anything has work for them.
  void make(const SlotThread::Shared& shared);

  [[nodiscard]] std::size_t size() const noexcept { return threads_.size(); }
  [[nodiscard]] SlotThread& operator[](std::size_t index) const noexcept { return *threads_[index]; }
  [[nodiscard]] auto begin() const noexcept { return threads_.begin(); }
  [[nodiscard]] auto end() const noexcept { return threads_.end(); }
  [[nodiscard]] std::size_t index_of(const net::EventLoop& loop) const;

  void completed(std::vector<WriterWorkPtr> batch) override;
  void completed(std::vector<GroupWorkPtr> batch) override;
  void uploads_finished(std::vector<UploadWorkPtr> batch) override;

 private:
  // Calls hand_over(pipeline, works) on the slot thread of each.
  template <typename WorkPtr, typename HandOver>
  void by_thread(std::vector<WorkPtr> batch, HandOver hand_over);

  std::vector<std::unique_ptr<SlotThread>> threads_;
};

}  // namespace hongyan::logic
