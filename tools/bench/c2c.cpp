#include "tools/bench/c2c.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <future>
#include <thread>

#include "common/net/event_loop.h"
#include "tools/bench/pair.h"
#include "tools/support/api_token.h"

namespace hongyan::bench {

namespace {

constexpr int kLoginsAtOnce = 16;  // on each loop
constexpr std::int64_t kTokenSeconds = 3'600;
constexpr std::chrono::seconds kDrainPatience{20};

// The pairs of one loop.
struct Worker {
  explicit Worker(int number) : loop("bench-" + std::to_string(number)) {}
  net::EventLoop loop;
  std::vector<int> indexes;  // of its pairs
  std::vector<std::unique_ptr<Pair>> pairs;
  std::size_t next = 0;  // index into indexes, of the next to log in
  int coroutines = 0;
  Status status;
  std::promise<void> ready;
};

class Run {
 public:
  explicit Run(const C2cOptions& options) : options_(options) {
    if (getrandom(&run_, sizeof(run_), 0) != static_cast<ssize_t>(sizeof(run_))) run_ = 1;
    for (int i = 0; i < options_.loops; ++i) workers_.push_back(std::make_unique<Worker>(i));
    for (int i = 0; i < options_.pairs; ++i) {
      workers_[static_cast<std::size_t>(i % options_.loops)]->indexes.push_back(i);
    }
  }
  ~Run() {
    for (auto& worker : workers_) worker->loop.stop();
    for (auto& worker : workers_) worker->loop.join();
  }

  Result<Report> run() {
    if (Status status = log_in(); !status) return std::unexpected(status.error());
    on_each([](Worker& worker) {
      for (auto& pair : worker.pairs) pair->start();
    });
    Report report;
    report.pairs = options_.pairs;
    report.window = options_.window;
    report.size = options_.size;
    watch("warm-up", options_.warm_up_seconds);
    measure(report);
    drain();
    if (shared_.broken) return fail(Code::kUnavailable, shared_.why);
    collect(report);
    return report;
  }

 private:
  void remark(const std::string& text) const {
    if (options_.progress) fmt::print(stderr, "{}\n", text);
  }

  // Runs f once on each worker's loop, and waits.
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

  Status log_in() {
    remark(fmt::format("logging in {} users", 2 * options_.pairs));
    for (auto& worker : workers_) {
      worker->loop.start();
      worker->loop.post([this, w = worker.get()] {
        w->coroutines = kLoginsAtOnce;
        for (int i = 0; i < kLoginsAtOnce; ++i) w->loop.spawn("bench login", log_in_pairs(this, w));
      });
    }
    for (auto& worker : workers_) worker->ready.get_future().wait();
    for (auto& worker : workers_) {
      if (!worker->status) return worker->status;
    }
    return {};
  }

  static net::Awaitable<> log_in_pairs(Run* run, Worker* worker) {
    while (worker->status && worker->next < worker->indexes.size()) {
      const int index = worker->indexes[worker->next++];
      Status status = co_await run->make_pair(worker, index);
      if (!status) worker->status = std::move(status);
    }
    if (--worker->coroutines == 0) worker->ready.set_value();
  }

  net::Awaitable<Status> make_pair(Worker* worker, int index) {
    const std::string sender = fmt::format("bench-{:016x}-{}-s", run_, index);
    const std::string receiver = fmt::format("bench-{:016x}-{}-r", run_, index);
    auto from = co_await connect(worker, sender, index);
    if (!from) co_return std::unexpected(from.error());
    auto to = co_await connect(worker, receiver, index + 1);
    if (!to) co_return std::unexpected(to.error());
    worker->pairs.push_back(std::make_unique<Pair>(Pair::Options{.run = run_,
                                                                 .index = index,
                                                                 .window = options_.window,
                                                                 .size = options_.size,
                                                                 .sender = sender,
                                                                 .receiver = receiver},
                                                   worker->loop, shared_, *from, *to));
    co_return Status{};
  }

  net::Awaitable<Result<std::shared_ptr<Connection>>> connect(Worker* worker, std::string uid, int index) {
    const std::string& gate = options_.gates[static_cast<std::size_t>(index) % options_.gates.size()];
    const auto colon = gate.rfind(':');
    Login login{.host = gate.substr(0, colon), .app_id = options_.app_id, .uid = uid, .token = {}};
    if (colon == std::string::npos ||
        std::from_chars(gate.data() + colon + 1, gate.data() + gate.size(), login.port).ec != std::errc()) {
      co_return fail(Code::kBadRequest, "not a gate's host:port: " + gate);
    }
    auto token = co_await tools::fetch_token(options_.api, options_.api_key, uid, kTokenSeconds);
    if (!token) co_return std::unexpected(token.error());
    login.token = std::move(*token);
    auto connection = std::make_shared<Connection>(worker->loop.executor());
    const auto response = co_await connection->log_in(std::move(login));
    if (!response) co_return std::unexpected(response.error());
    co_return connection;
  }

  // Sleeps in main's thread, with a line a second.
  void watch(std::string_view phase, double seconds) {
    const auto end = SteadyClock::now() + std::chrono::duration_cast<SteadyClock::duration>(
                                              std::chrono::duration<double>(seconds));
    std::uint64_t before = shared_.finished.load();
    auto before_at = SteadyClock::now();
    while (SteadyClock::now() < end && !shared_.broken) {
      std::this_thread::sleep_until(std::min(end, before_at + std::chrono::seconds(1)));
      const auto now = SteadyClock::now();
      const std::uint64_t finished = shared_.finished.load();
      const double passed = std::chrono::duration<double>(now - before_at).count();
      if (passed >= 0.5) {
        remark(fmt::format("{:<8} {:8.0f} msg/s  refused {}", phase,
                           static_cast<double>(finished - before) / passed, shared_.refused.load()));
      }
      before = finished;
      before_at = now;
    }
  }

  void measure(Report& report) {
    const auto processes = look_at_processes(options_.pids);
    const double own = own_cpu_seconds();
    const auto began = SteadyClock::now();
    const std::uint64_t finished = shared_.finished.load();
    shared_.phase.store(Phase::kMeasure);
    watch("measure", options_.seconds);
    report.messages = shared_.finished.load() - finished;
    report.seconds = std::chrono::duration<double>(SteadyClock::now() - began).count();
    shared_.phase.store(Phase::kDrain);
    report.own_cpu_seconds = own_cpu_seconds() - own;
    report.processes = look_at_processes(options_.pids);
    for (auto& process : report.processes) {
      const auto earlier = std::ranges::find(processes, process.pid, &ProcessUse::pid);
      if (earlier != processes.end()) process.cpu_seconds -= earlier->cpu_seconds;
    }
  }

  void drain() {
    const auto end = SteadyClock::now() + kDrainPatience;
    bool idle = false;
    while (!idle && SteadyClock::now() < end && !shared_.broken) {
      idle = true;
      on_each([&](Worker& worker) {
        for (auto& pair : worker.pairs) idle = idle && pair->idle();
      });
      if (!idle) std::this_thread::sleep_for(Milliseconds(20));
    }
  }

  void collect(Report& report) {
    report.refused = shared_.refused.load();
    on_each([&](Worker& worker) {
      for (auto& pair : worker.pairs) {
        report.totals += pair->totals();
        report.ack_times.add(pair->ack_times());
        report.delivery_times.add(pair->delivery_times());
        pair->close();
      }
    });
  }

  const C2cOptions& options_;
  std::uint64_t run_ = 0;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

Result<Report> run_c2c(const C2cOptions& options) { return Run(options).run(); }

}  // namespace hongyan::bench
