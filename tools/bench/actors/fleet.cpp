#include "tools/bench/actors/fleet.h"

namespace hongyan::bench {

namespace {

// What the coroutines of one loop share.
struct Errand {
  Worker* worker = nullptr;
  const Fleet::Job* job = nullptr;
  int next = 0;
  int step = 0;
  int count = 0;
  int coroutines = 0;
  Status status;
  std::promise<void> done;
};

net::Awaitable<> work(Errand* errand) {
  while (errand->status && errand->next < errand->count) {
    const int index = std::exchange(errand->next, errand->next + errand->step);
    Status status = co_await (*errand->job)(*errand->worker, index);
    if (!status && errand->status) errand->status = std::move(status);
  }
  if (--errand->coroutines == 0) errand->done.set_value();
}

}  // namespace

Fleet::Fleet(int loops) {
  for (int i = 0; i < loops; ++i) {
    workers_.push_back(std::make_unique<Worker>(static_cast<std::size_t>(i)));
    workers_.back()->loop.start();
  }
}

void Fleet::stop() {
  for (auto& worker : workers_) worker->loop.stop();
  for (auto& worker : workers_) worker->loop.join();
}

Status Fleet::for_each(int count, int at_once, const Job& job) {
  std::vector<Errand> errands(workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Errand& errand = errands[i];
    errand.worker = workers_[i].get();
    errand.job = &job;
    errand.next = static_cast<int>(i);
    errand.step = static_cast<int>(workers_.size());
    errand.count = count;
    errand.coroutines = at_once;
    errand.worker->loop.post([&errand, at_once] {
      for (int n = 0; n < at_once; ++n) errand.worker->loop.spawn("bench errand", work(&errand));
    });
  }
  for (auto& errand : errands) errand.done.get_future().wait();
  for (auto& errand : errands) {
    if (!errand.status) return errand.status;
  }
  return {};
}

}  // namespace hongyan::bench
