#include "logic/app/app.h"

#include <future>

#include "common/base/random.h"
#include "common/log/log.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kTick{100};
constexpr int kTicksOfUpkeep = 10;
constexpr Milliseconds kDrain{2000};

}  // namespace

// A slot thread with its loop and its connection to Redis.
struct App::Worker {
  explicit Worker(std::size_t index) : loop("slots-" + std::to_string(index)) {}
  PipelineCounters counters;
  net::EventLoop loop;
  std::shared_ptr<RedisClient> redis;
  std::unique_ptr<RedisRoutes> routes;
  std::unique_ptr<SlotThread> thread;
  bool stopped = false;  // loop only
};

App::App(LogicConfig config, daemon::Context& context)
    : config_(std::move(config)),
      clock_(config_.node),
      tokens_(config_.token_keys()),
      keys_(config_.api_keys()),
      context_(context),
      destinations_(config_.upload_destinations()) {
  identity_ = {.role = link::ROLE_LOGIC,
               .node_id = config_.name,
               .boot_id = random_id(),
               .secret = config_.common.cluster.secret};
}

App::~App() = default;

Status App::check_shards() {
  for (const auto& shard : config_.shard_configs()) {
    const Status checked = check_shard(shard);
    if (checked) continue;
    if (checked.error().code != Code::kUnavailable) {
      return fail(checked.error().code, "shard " + shard.name + ": " + checked.error().message);
    }
    log::warn("store", "shard is away at start shard={} reason={}", shard.name, checked.error().message);
  }
  return {};
}

Status App::start_kafka() {
  if (config_.kafka.brokers.empty()) return {};
  auto kafka = Kafka::start(config_.kafka, config_.destination_names(), router_);
  if (!kafka) return std::unexpected(kafka.error());
  kafka_ = std::move(*kafka);
  kafka_->add_metrics(context_.metrics, context_.health);
  return {};
}

void App::make_shards() {
  std::array<std::uint16_t, kSlotCount> shard_of{};
  std::vector<Shard*> pointers;
  for (auto& shard : config_.shard_configs()) {
    const std::size_t index = shards_.size();
    const auto slots = parse_slots(shard.slots);
    for (const Slot slot : *slots) shard_of[slot] = static_cast<std::uint16_t>(index);
    shards_.push_back(make_mysql_shard(index, std::move(shard),
                                       {.node = config_.node,
                                        .boot_id = identity_.boot_id,
                                        .clock = &clock_,
                                        .sink = &router_,
                                        .observer = this}));
    pointers.push_back(shards_.back().get());
  }
  shard_set_ = std::make_unique<ShardSet>(std::move(pointers), shard_of);
}

void App::make_workers() {
  for (std::size_t i = 0; i < config_.threads; ++i) workers_.push_back(std::make_unique<Worker>(i));
  // A route outlives the two heartbeats that refresh it.
  const Milliseconds ttl = std::chrono::seconds(config_.pipeline.heartbeat_seconds) * 2;
  std::vector<ThreadOnLoop> threads;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    worker.redis = RedisClient::start(
        worker.loop,
        {.host = config_.redis.host, .port = config_.redis.port, .password = config_.redis_password});
    worker.routes = std::make_unique<RedisRoutes>(worker.redis, ttl);
    worker.thread = std::make_unique<SlotThread>(
        SlotThread::Deps{.index = static_cast<std::uint32_t>(i),
                         .thread_count = config_.threads,
                         .config = config_.pipeline,
                         .shards = *shard_set_,
                         .clock = clock_,
                         .counters = worker.counters,
                         .verifier = tokens_,
                         .routes = *worker.routes,
                         .uploads = {.sink = kafka_ ? &kafka_->uploads() : nullptr,
                                     .destinations = &destinations_,
                                     .timeout = config_.kafka.upload_timeout},
                         .events = kafka_ ? kafka_->events() : nullptr,
                         .stored_events = config_.kafka.stored_events,
                         .post =
                             [&worker](std::function<void()> f) {
                               worker.loop.post([&worker, f = std::move(f)] {
                                 f();
                                 worker.thread->end_turn();
                               });
                             },
                         .mail =
                             [this](std::uint32_t to, ThreadMail mail) {
                               Worker& other = *workers_[to];
                               other.loop.post([&other, mail = std::move(mail)]() mutable {
                                 other.thread->mail(std::move(mail));
                                 other.thread->end_turn();
                               });
                             }});
    threads.push_back({.loop = &worker.loop, .thread = worker.thread.get()});
  }
  router_.set_threads(threads);
  gates_ = std::make_unique<GateLinks>(threads);
}

net::Awaitable<> App::tick(Worker* worker, std::string marker) {
  for (int count = 0; !worker->stopped; ++count) {
    co_await net::sleep_for(kTick);
    worker->thread->tick();
    if (count % kTicksOfUpkeep == 0) {
      worker->thread->upkeep();
      worker->routes->check(marker, [worker] { worker->thread->rewrite_routes(); });
    }
    worker->thread->end_turn();
  }
}

Status App::open_listeners() {
  std::vector<net::EventLoop*> loops;
  for (auto& worker : workers_) loops.push_back(&worker->loop);
  auto links =
      link::LinkServer::start(loops, config_.link_listen.host, config_.link_listen.port, identity_, *gates_);
  if (!links) return std::unexpected(links.error());
  link_server_ = *links;
  if (config_.api_listen.set()) {
    if (auto open = open_api(); !open) return open;
  }
  log::info("logic", "listening links={} api={}", link_server_->port(), api_ ? api_->local_port() : 0);
  return {};
}

Status App::open_api() {
  caller_ = std::make_unique<Caller>(control_, identity_, Caller::Options{});
  caller_->start();
  server_api_ = std::make_unique<ServerApi>(
      ApiServices{.caller = *caller_, .signer = tokens_, .clock = clock_, .limits = config_.api_limits},
      keys_);
  http::Limits limits;
  limits.max_body_bytes = config_.api_limits.max_body_bytes;
  auto api = http::Server::start(control_, config_.api_listen.host, config_.api_listen.port,
                                 server_api_->routes(), limits);
  if (!api) return std::unexpected(api.error());
  api_ = std::move(*api);
  return {};
}

void App::add_metrics() {
  const auto export_sum = [this](const std::string& name, const std::string& help,
                                 auto PipelineCounters::* member) {
    metrics::Counter& counter = context_.metrics.counter("hongyan_logic_" + name + "_total", help);
    context_.metrics.before_collect([this, &counter, member] {
      double sum = 0;
      for (const auto& worker : workers_) sum += static_cast<double>((worker->counters.*member).load());
      if (sum > counter.Value()) counter.Increment(sum - counter.Value());
    });
  };
  using C = PipelineCounters;
  export_sum("accepted", "Messages stored in outboxes.", &C::accepted);
  export_sum("duplicates", "Resends of messages that were stored before.", &C::duplicates);
  export_sum("delivered", "Rows stored in inboxes.", &C::delivered);
  export_sum("group_messages", "Messages that have their place in a group.", &C::placed);
  export_sum("parked", "Rows that can never be stored.", &C::parked);
  export_sum("pushed", "Pushes to devices.", &C::pushed);
  export_sum("resent", "Pushes sent once more for want of an acknowledgement.", &C::resent);
  export_sum("undelivered", "Pushes never acknowledged.", &C::undelivered);
  export_sum("acks", "Acknowledgements of devices.", &C::acked);
  export_sum("bad_acks", "Acknowledgements beyond the head, backwards or unparsable.", &C::bad_acks);
  export_sum("cursors_kept", "Users whose cursors were written.", &C::cursors_kept);
  export_sum("pulls", "Pulls.", &C::pulls);
  export_sum("pulled_messages", "Messages given to pulls.", &C::pulled_messages);
  export_sum("logins", "Logins.", &C::logins);
  export_sum("uploads", "Uploads published.", &C::uploads);
  export_sum("kicks", "Sessions kicked by a later login.", &C::kicks);
  export_sum("lane_retries", "Batches of fan-out to be tried again.", &C::lane_retries);
  export_sum("not_owner", "Requests for slots that this node does not own.", &C::not_owner);
  const auto export_gauge = [this](const std::string& name, const std::string& help,
                                   auto PipelineCounters::* member) {
    metrics::Gauge& gauge = context_.metrics.gauge("hongyan_logic_" + name, help);
    context_.metrics.before_collect([this, &gauge, member] {
      double sum = 0;
      for (const auto& worker : workers_) sum += static_cast<double>((worker->counters.*member).load());
      gauge.Set(sum);
    });
  };
  export_gauge("unfinished_bytes", "Accepted messages not yet fanned out.", &C::unfinished_bytes);
  export_gauge("sessions", "Sessions of this node's users.", &C::sessions);
  export_gauge("users", "Users in memory.", &C::users);
  export_gauge("changed_cursors", "Users whose cursors are to be written.", &C::changed_cursors);
  export_gauge("groups", "Groups in memory.", &C::groups);
  export_gauge("lanes", "Lanes with something to do.", &C::lanes);
  for (std::size_t code = 1; code <= static_cast<std::size_t>(Code::kDeadlineExceeded); ++code) {
    metrics::Counter& counter =
        context_.metrics.counter("hongyan_logic_refused_total", "Requests refused, by code.",
                                 {{"code", std::string(code_name(static_cast<Code>(code)))}});
    context_.metrics.before_collect([this, &counter, code] {
      double sum = 0;
      for (const auto& worker : workers_) sum += static_cast<double>(worker->counters.refused[code].load());
      if (sum > counter.Value()) counter.Increment(sum - counter.Value());
    });
  }
  for (std::size_t code = 0; code < ServerApi::kCodes; ++code) {
    metrics::Counter& counter = context_.metrics.counter(
        "hongyan_logic_api_calls_total", "Calls of the server API, by how they were answered.",
        {{"code", std::string(code_name(static_cast<Code>(code)))}});
    context_.metrics.before_collect([this, &counter, code] {
      const auto sum =
          server_api_ ? static_cast<double>(server_api_->answered(static_cast<Code>(code))) : 0.0;
      if (sum > counter.Value()) counter.Increment(sum - counter.Value());
    });
  }
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    metrics::Gauge& down = context_.metrics.gauge("hongyan_logic_shard_down", "1 while the shard is away.",
                                                  {{"shard", config_.shards[i].name}});
    context_.metrics.before_collect([this, &down, i] { down.Set(shards_[i]->down() ? 1 : 0); });
    context_.health.add("mysql_shard_" + config_.shards[i].name, [shard = shards_[i].get()] {
      std::string trouble = shard->trouble();
      if (trouble.empty()) return metrics::HealthCheck{};
      return metrics::HealthCheck{metrics::HealthState::kDegraded, std::move(trouble)};
    });
  }
  context_.health.add("redis", [this] {
    for (const auto& worker : workers_) {
      std::string trouble = worker->redis->trouble();
      if (!trouble.empty()) return metrics::HealthCheck{metrics::HealthState::kDegraded, std::move(trouble)};
    }
    return metrics::HealthCheck{};
  });
  metrics::Counter& errors = context_.metrics.counter("hongyan_logic_redis_errors_total",
                                                      "Commands that Redis answered with an error.");
  context_.metrics.before_collect([this, &errors] {
    double sum = 0;
    for (const auto& worker : workers_) sum += static_cast<double>(worker->redis->errors());
    if (sum > errors.Value()) errors.Increment(sum - errors.Value());
  });
}

Result<std::unique_ptr<daemon::Daemon>> App::start(LogicConfig config, daemon::Context& context) {
  std::unique_ptr<App> app(new App(std::move(config), context));
  if (auto running = app->run(); !running) return std::unexpected(running.error());
  return std::unique_ptr<daemon::Daemon>(std::move(app));
}

Status App::run() {
  if (auto checked = check_shards(); !checked) return checked;
  if (auto started = start_kafka(); !started) return started;
  make_shards();
  make_workers();
  add_metrics();
  if (auto open = open_listeners(); !open) return open;
  const std::string marker = "hongyan:" + config_.name + ":" + std::to_string(identity_.boot_id);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    worker->loop.spawn("tick", tick(worker, marker + ":" + std::to_string(i)));
    worker->loop.start();
  }
  for (auto& shard : shards_) shard->start();

  const auto advertised = config::parse_advertised(config_.advertise).value();  // checked when it was loaded
  const auto heartbeat = [this, advertised] {
    link::Heartbeat message;
    auto& endpoint = *message.add_endpoints();
    endpoint.set_host(advertised.host.empty() ? config_.link_listen.host : advertised.host);
    endpoint.set_port(advertised.port == 0 ? link_server_->port() : advertised.port);
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      if (shards_[i]->down()) message.add_stuck_shards(static_cast<std::uint32_t>(i));
    }
    return message;
  };
  membership_ = std::make_unique<link::Membership>(
      control_, identity_,
      link::Membership::Options{.iplists = link::members_of(config_.common.cluster.iplists),
                                .fixed_nodes = link::members_of(config_.common.cluster.logic_nodes)},
      heartbeat, [this](const std::vector<link::Member>& nodes) {
        if (caller_) caller_->set_nodes(nodes);
      });
  membership_->start();
  control_.start();
  return {};
}

void App::stop() {
  log::info("logic", "stopping");
  membership_->stop();
  if (api_) api_->stop_and_wait(kDrain);  // calls under way still need the links
  link_server_->stop();
  if (kafka_) kafka_->stop();
  flush_cursors();
  for (auto& shard : shards_) shard->stop();
  control_.stop();
  control_.join();
  for (auto& worker : workers_) {
    worker->loop.post([w = worker.get()] { w->stopped = true; });
    worker->redis->stop();
  }
  for (auto& worker : workers_) {
    worker->loop.stop();
    worker->loop.join();
  }
}

void App::flush_cursors() {
  std::vector<std::future<void>> flushed;
  for (auto& worker : workers_) {
    const auto done = std::make_shared<std::promise<void>>();
    flushed.push_back(done->get_future());
    worker->loop.post([w = worker.get(), done] { w->thread->flush_cursors([done] { done->set_value(); }); });
  }
  const SteadyTime deadline = SteadyClock::now() + kDrain;
  for (auto& one : flushed) {
    if (one.wait_until(deadline) == std::future_status::ready) continue;
    return log::warn("logic", "stopped before all cursors were written");
  }
}

void App::shard_acquired(std::size_t shard, std::vector<AcquiredSlot> slots, Redo redo) {
  log::info("store", "slots acquired shard={} slots={} redo={} redo_groups={} pending={} settings={}",
            config_.shards[shard].name, slots.size(), redo.accepted.size(), redo.placed.size(),
            redo.pending.size(), shards_[shard]->settings());
  std::vector<Redo> by_thread(workers_.size());
  const auto of_thread = [&](const auto& row) -> Redo& { return by_thread[row.slot % workers_.size()]; };
  for (auto& row : redo.accepted) of_thread(row).accepted.push_back(std::move(row));
  for (auto& row : redo.placed) of_thread(row).placed.push_back(std::move(row));
  for (const auto& entry : redo.pending) of_thread(entry).pending.push_back(entry);
  const auto shared_slots = std::make_shared<const std::vector<AcquiredSlot>>(slots);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker* worker = workers_[i].get();
    worker->loop.post([worker, shard, shared_slots, mine = std::move(by_thread[i])]() mutable {
      worker->thread->shard_acquired(shard, *shared_slots, std::move(mine));
      worker->thread->end_turn();
    });
  }
  gates_->announce(slots);
}

void App::set_shard_status(std::size_t shard, SlotStatus status) {
  for (auto& worker : workers_) {
    worker->loop.post([w = worker.get(), shard, status] { w->thread->shard_status(shard, status); });
  }
}

void App::shard_suspended(std::size_t shard, const std::string& reason) {
  log::error("store", "shard is away shard={} reason={}", config_.shards[shard].name, log::quoted(reason));
  set_shard_status(shard, SlotStatus::kSuspended);
}

void App::shard_resumed(std::size_t shard) {
  log::info("store", "shard is back shard={}", config_.shards[shard].name);
  set_shard_status(shard, SlotStatus::kServing);
}

void App::fenced_off(std::size_t shard, const std::string& reason) {
  log::error("store", "fenced off, another process uses this node number shard={} reason={}",
             config_.shards[shard].name, log::quoted(reason));
  context_.signals.stop(1, "fenced off: " + reason);
}

}  // namespace hongyan::logic
