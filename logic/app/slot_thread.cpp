#include "logic/app/slot_thread.h"

#include <chrono>

#include "common/base/assert.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kTick{100};
constexpr int kTicksOfUpkeep = 10;

}  // namespace

SlotThread::SlotThread(SlotThreads& all, std::uint32_t index, const Shared& shared)
    : all_(all),
      loop_("slots-" + std::to_string(index)),
      redis_(RedisClient::start(loop_, shared.config.redis)),
      // A route outlives the two heartbeats that refresh it.
      routes_(redis_, std::chrono::seconds(shared.config.pipeline.heartbeat_seconds) * 2),
      pipeline_({.index = index,
                 .thread_count = shared.config.threads,
                 .config = shared.config.pipeline,
                 .group_config = shared.config.group,
                 .rules = &shared.rules,
                 .shards = shared.shards,
                 .clock = shared.clock,
                 .counters = counters_,
                 .host = *this,
                 .verifier = shared.verifier,
                 .routes = routes_,
                 .uploads = shared.uploads,
                 .events = shared.events,
                 .stored_events = shared.config.kafka.stored_events}),
      nodes_(loop_, shared.identity, index, shared.config.links.link,
             [this](const std::function<void(Pipeline&)>& f) { now(f); }) {}

void SlotThread::set_nodes(const std::vector<link::Member>& nodes) {
  loop_.post([this, nodes] { nodes_.set(nodes); });
}

void SlotThread::start(std::string marker) {
  loop_.spawn("tick", tick(this, std::move(marker)));
  loop_.start();
}

void SlotThread::stop() {
  loop_.post([this] {
    stopped_ = true;
    nodes_.stop();
  });
  redis_->stop();
}

void SlotThread::join() {
  loop_.stop();
  loop_.join();
}

void SlotThread::later(std::function<void()> f) {
  run([f = std::move(f)](Pipeline&) { f(); });
}

void SlotThread::mail(std::uint32_t thread, ThreadMail mail) {
  all_[thread].run(
      [mail = std::move(mail)](Pipeline& pipeline) mutable { pipeline.take_mail(std::move(mail)); });
}

net::Awaitable<> SlotThread::tick(SlotThread* self, std::string marker) {
  for (int count = 0; !self->stopped_; ++count) {
    co_await net::sleep_for(kTick);
    self->now([&](Pipeline& pipeline) {
      pipeline.tick();
      if (count % kTicksOfUpkeep != 0) return;
      pipeline.upkeep();
      self->routes_.check(marker, [&pipeline] { pipeline.rewrite_routes(); });
    });
  }
}

void SlotThreads::make(const SlotThread::Shared& shared) {
  for (std::uint32_t i = 0; i < shared.config.threads; ++i) {
    threads_.push_back(std::make_unique<SlotThread>(*this, i, shared));
  }
}

std::size_t SlotThreads::index_of(const net::EventLoop& loop) const {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (&threads_[i]->loop() == &loop) return i;
  }
  HONGYAN_ASSERT(false);
}

template <typename WorkPtr, typename HandOver>
void SlotThreads::by_thread(std::vector<WorkPtr> batch, HandOver hand_over) {
  std::vector<std::vector<WorkPtr>> parts(threads_.size());
  for (auto& work : batch) parts[work->thread].push_back(std::move(work));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    threads_[i]->run([hand_over, works = std::move(parts[i])](Pipeline& pipeline) mutable {
      hand_over(pipeline, std::move(works));
    });
  }
}

void SlotThreads::completed(std::vector<WriterWorkPtr> batch) {
  by_thread(std::move(batch), [](Pipeline& pipeline, std::vector<WriterWorkPtr> works) {
    pipeline.works_finished(std::move(works));
  });
}

void SlotThreads::completed(std::vector<GroupWorkPtr> batch) {
  by_thread(std::move(batch), [](Pipeline& pipeline, std::vector<GroupWorkPtr> works) {
    pipeline.works_finished(std::move(works));
  });
}

void SlotThreads::uploads_finished(std::vector<UploadWorkPtr> batch) {
  by_thread(std::move(batch), [](Pipeline& pipeline, const std::vector<UploadWorkPtr>& uploads) {
    pipeline.uploads_finished(uploads);
  });
}

}  // namespace hongyan::logic
