// The threads of the generator.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/event_loop.h"
#include "tools/bench/actors/connection.h"

namespace hongyan::bench {

// One event loop and what its connections share.
struct Worker {
  explicit Worker(std::size_t index) : number(index), loop("bench-" + std::to_string(index)), io(loop) {}
  const std::size_t number;
  net::EventLoop loop;
  LoopIo io;
};

// Event loops, and the main thread that waits for them. Whatever lives on a loop must be destroyed after
// stop() and before the fleet. All members: main thread.
class Fleet {
 public:
  explicit Fleet(int loops);
  ~Fleet() { stop(); }

  [[nodiscard]] std::size_t size() const noexcept { return workers_.size(); }

  // Runs f(worker) once on each loop, one loop after the other, and waits.
  template <typename F>
  void on_each(F f) {
    for (auto& worker : workers_) {
      std::promise<void> done;
      worker->loop.post([&] {
        f(*worker);
        done.set_value();
      });
      done.get_future().wait();
    }
  }

  // Runs job(worker, index) for every index below count, on loop index % size(), at_once of them on each loop
  // at a time. Blocks. The first error ends it.
  using Job = std::function<net::Awaitable<Status>(Worker&, int index)>;
  [[nodiscard]] Status for_each(int count, int at_once, const Job& job);

  // Runs f(worker, item) on its loop for every item that for_each() made there: items[i] is of loop i %
  // size().
  template <typename Items, typename F>
  void on_each_of(Items& items, F f) {
    on_each([&](Worker& worker) {
      for (std::size_t i = worker.number; i < items.size(); i += size()) f(worker, *items[i]);
    });
  }

  void stop();

 private:
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace hongyan::bench
