#include "tools/bench/modes/pull.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/bench/actors/filler.h"
#include "tools/bench/actors/puller.h"
#include "tools/bench/actors/users.h"

namespace hongyan::bench {

namespace {

constexpr int kSenders = 16;
constexpr std::size_t kFillWindow = 32;
// One of each class: devices of one class exclude each other.
constexpr std::array<client::DeviceType, 5> kDevices = {
    client::DEVICE_TYPE_LINUX, client::DEVICE_TYPE_ANDROID, client::DEVICE_TYPE_WEB,
    client::DEVICE_TYPE_MINI_PROGRAM, client::DEVICE_TYPE_UNKNOWN};

class Run {
 public:
  Run(const Cluster& cluster, const PullOptions& options)
      : cluster_(cluster),
        options_(options),
        id_(options.reuse.empty() ? random_run_id() : options.reuse),
        uid_(fmt::format("bench-{}-pull", id_)),
        content_(options.load.size),
        fleet_(options.load.loops) {
    for (int i = 0; i < kSenders; ++i) {
      senders_.push_back({.id = fmt::format("{}-{}-", id_, i), .messages = share_of(i)});
    }
  }
  ~Run() { fleet_.stop(); }

  Result<Report> run() {
    const auto head = look_at_head();
    if (!head) return std::unexpected(head.error());
    if (*head != options_.messages) {
      if (*head != 0 || !options_.reuse.empty()) {
        return fail(Code::kFailedPrecondition, fmt::format("the inbox of run {} holds {} messages, not {}",
                                                           id_, *head, options_.messages));
      }
      if (Status status = fill(); !status) return std::unexpected(status.error());
    }
    return pull();
  }

 private:
  [[nodiscard]] std::uint32_t share_of(int sender) const {
    return static_cast<std::uint32_t>(options_.messages / kSenders +
                                      (sender < options_.messages % kSenders ? 1 : 0));
  }

  // The inbox's last seq, as a login tells it.
  Result<std::int64_t> look_at_head() {
    head_ = 0;
    const Status status =
        fleet_.for_each(1, 1, [this](Worker& worker, int) { return ask_head(this, &worker); });
    if (!status) return std::unexpected(status.error());
    return head_.load();
  }

  static net::Awaitable<Status> ask_head(Run* run, Worker* worker) {
    auto user = co_await log_in(run->cluster_, *worker, run->uid_, 0);
    if (!user) co_return std::unexpected(user.error());
    run->head_ = user->login.inbox_seq();
    co_return co_await user->connection->log_out();
  }

  Status fill() {
    fillers_.resize(kSenders);
    Status status = fleet_.for_each(kSenders, kLoginsAtOnce, [this](Worker& worker, int index) {
      return make_filler(this, &worker, index);
    });
    if (!status) return status;
    const auto began = SteadyClock::now();
    fleet_.on_each_of(fillers_, [](Worker&, Filler& filler) { filler.start(); });
    const auto acknowledged = static_cast<std::uint64_t>(options_.messages);
    watch(shared_, options_.load.progress, "fill", options_.load.seconds,
          [&] { return shared_.finished.load() >= acknowledged; });
    fleet_.on_each_of(fillers_, [](Worker&, Filler& filler) { filler.close(); });
    fill_seconds_ = std::chrono::duration<double>(SteadyClock::now() - began).count();
    if (shared_.broken) return fail(Code::kUnavailable, shared_.why);
    if (shared_.finished.load() < acknowledged)
      return fail(Code::kDeadlineExceeded, "the inbox was not filled in time");
    Result<std::int64_t> head = 0;
    watch(shared_, false, "deliver", options_.load.seconds,
          [&] {  // acknowledged is stored; the inbox follows
            head = look_at_head();
            return !head || *head >= options_.messages;
          });
    if (!head) return std::unexpected(head.error());
    if (*head == options_.messages) return {};
    return fail(Code::kInternal,
                fmt::format("{} messages were acknowledged, the inbox holds {}", options_.messages, *head));
  }

  static net::Awaitable<Status> make_filler(Run* run, Worker* worker, int index) {
    const Puller::Sent& sent = run->senders_[static_cast<std::size_t>(index)];
    const Filler::Options options{.id = sent.id,
                                  .from = fmt::format("bench-{}-{}", run->id_, index),
                                  .to = run->uid_,
                                  .messages = sent.messages,
                                  .window = kFillWindow};
    auto user = co_await log_in(run->cluster_, *worker, options.from, static_cast<std::size_t>(index));
    if (!user) co_return std::unexpected(user.error());
    run->fillers_[static_cast<std::size_t>(index)] =
        std::make_unique<Filler>(options, run->content_, *worker, run->shared_, std::move(user->connection));
    co_return Status{};
  }

  Result<Report> pull() {
    pullers_.resize(static_cast<std::size_t>(options_.devices));
    const Status status = fleet_.for_each(options_.devices, 1, [this](Worker& worker, int index) {
      return make_puller(this, &worker, static_cast<std::size_t>(index));
    });
    if (!status) return std::unexpected(status.error());
    const std::uint64_t before = shared_.finished.load();
    const Meter meter(cluster_);
    fleet_.on_each_of(pullers_, [](Worker&, Puller& puller) { puller.start(); });
    const auto done = [this] {
      return std::ranges::all_of(pullers_, [](const auto& puller) { return puller->done(); });
    };
    watch(shared_, options_.load.progress, "pull", options_.load.seconds, done);
    Cost cost = meter.stop();
    const bool complete = done();
    fleet_.on_each_of(pullers_, [](Worker&, Puller& puller) { puller.close(); });
    if (shared_.broken) return fail(Code::kUnavailable, shared_.why);
    if (!complete) return fail(Code::kDeadlineExceeded, "the inbox was not read in time");
    return report(std::move(cost), shared_.finished.load() - before);
  }

  static net::Awaitable<Status> make_puller(Run* run, Worker* worker, std::size_t index) {
    auto user = co_await log_in(run->cluster_, *worker, run->uid_, index, kDevices.at(index));
    if (!user) co_return std::unexpected(user.error());
    run->pullers_[index] = std::make_unique<Puller>(Puller::Options{.uid = run->uid_,
                                                                    .head = run->options_.messages,
                                                                    .page = run->options_.page,
                                                                    .senders = run->senders_},
                                                    run->content_, run->shared_, std::move(user->connection));
    co_return Status{};
  }

  Report report(Cost cost, std::uint64_t messages) {
    Report report{.bench = "pull", .operations = messages, .cost = std::move(cost)};
    report.parameters = {{"messages", std::int64_t{options_.messages}},
                         {"devices", std::int64_t{options_.devices}},
                         {"page", std::int64_t{options_.page}},
                         {"size", static_cast<std::int64_t>(options_.load.size)}};
    Histogram pages;
    Faults faults;
    std::uint64_t bytes = 0;
    for (const auto& puller : pullers_) {
      pages.add(puller->page_times());
      faults += puller->faults();
      bytes += puller->content_bytes();
    }
    report.times = {{"page", std::move(pages)}};
    report.results = {{"run", id_},
                      {"content_bytes_per_s", static_cast<double>(bytes) / report.cost.seconds},
                      {"fill_msgs_per_s", fill_seconds_ > 0 ? options_.messages / fill_seconds_ : 0.0}};
    report.add_faults(faults);
    return report;
  }

  const Cluster& cluster_;
  const PullOptions& options_;
  const std::string id_;
  const std::string uid_;  // whose inbox
  const Content content_;
  std::vector<Puller::Sent> senders_ = {};
  std::atomic<std::int64_t> head_{0};
  double fill_seconds_ = 0;
  Shared shared_;
  Fleet fleet_;
  std::vector<std::unique_ptr<Filler>> fillers_ = {};  // by index; each on its loop
  std::vector<std::unique_ptr<Puller>> pullers_ = {};
};

}  // namespace

Result<Report> run_pull(const Cluster& cluster, const PullOptions& options) {
  return Run(cluster, options).run();
}

}  // namespace hongyan::bench
