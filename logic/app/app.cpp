#include "logic/app/app.h"

#include <future>
#include <thread>

#include "common/base/random.h"
#include "common/log/log.h"
#include "logic/app/metrics.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kDrain{2000};
constexpr Milliseconds kLeave{2000};  // for all slots to be given up, and gates to have heard of it
constexpr Milliseconds kLeaveLook{10};
constexpr Milliseconds kLookForPeers{500};
constexpr Milliseconds kLonely{5000};  // without gates and peers, before others are to have the slots

// Slots of each shard.
std::vector<std::size_t> shard_sizes(const MysqlConfig& config) {
  std::vector<std::size_t> sizes;
  for (const auto& shard : config.shard_configs()) sizes.push_back(parse_slots(shard.slots)->size());
  return sizes;
}

}  // namespace

App::App(LogicConfig config, daemon::Context& context)
    : config_(std::move(config)),
      clock_(config_.node),
      tokens_(config_.apps.token_keys()),
      keys_(config_.apps.api_keys()),
      context_(context),
      certificate_("logic", config_.api.certificate),
      destinations_(config_.apps.upload_destinations()),
      rules_(config_.apps.rules()) {
  identity_ = {.role = link::ROLE_LOGIC,
               .node_id = config_.name,
               .boot_id = random_id(),
               .secret = config_.common.cluster.secret};
}

App::~App() = default;

Status App::check_shards() {
  for (const auto& shard : config_.mysql.shard_configs()) {
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
  auto kafka = Kafka::start(config_.kafka, config_.apps.destination_names(), threads_);
  if (!kafka) return std::unexpected(kafka.error());
  kafka_ = std::move(*kafka);
  kafka_->add_metrics(context_.metrics, context_.health);
  return {};
}

void App::make_shards() {
  std::array<std::uint16_t, kSlotCount> shard_of{};
  std::vector<Shard*> pointers;
  for (auto& shard : config_.mysql.shard_configs()) {
    const std::size_t index = shards_.size();
    const auto slots = parse_slots(shard.slots);
    for (const Slot slot : *slots) shard_of[slot] = static_cast<std::uint16_t>(index);
    const std::vector<std::size_t> sizes =
        config_.share_slots ? shard_sizes(config_.mysql) : std::vector<std::size_t>();
    shards_.push_back(make_mysql_shard(index, std::move(shard),
                                       {.node = config_.node,
                                        .boot_id = identity_.boot_id,
                                        .clock = &clock_,
                                        .sink = &threads_,
                                        .observer = this,
                                        .leadership = config_.share_slots ? nullptr : &leadership_,
                                        .shared_sizes = sizes}));
    pointers.push_back(shards_.back().get());
  }
  shard_set_ = std::make_unique<ShardSet>(std::move(pointers), shard_of);
}

void App::make_threads() {
  threads_.make({.config = config_,
                 .rules = rules_,
                 .shards = *shard_set_,
                 .clock = clock_,
                 .verifier = tokens_,
                 .uploads = {.sink = kafka_ ? &kafka_->uploads() : nullptr,
                             .destinations = &destinations_,
                             .timeout = config_.kafka.upload_timeout},
                 .events = kafka_ ? kafka_->events() : nullptr,
                 .identity = identity_});
  gates_ = std::make_unique<GateLinks>(threads_);
}

Status App::open_listeners() {
  std::vector<net::EventLoop*> loops;
  loops.reserve(threads_.size());
  for (const auto& thread : threads_) loops.push_back(&thread->loop());
  auto links = link::LinkServer::start(loops, config_.link_listen.host, config_.link_listen.port, identity_,
                                       *gates_, config_.links);
  if (!links) return std::unexpected(links.error());
  link_server_ = *links;
  if (config_.api.listen.set()) {
    if (auto open = open_api(); !open) return open;
  }
  log::info("logic", "listening links={} api={}", link_server_->port(), api_ ? api_->local_port() : 0);
  return {};
}

void App::reload() {
  certificate_.reload([this](const auto& tls) { api_->set_tls(tls); });
}

Status App::open_api() {
  if (auto loaded = certificate_.load(); !loaded) return loaded;
  certificate_.watch(context_.metrics, context_.health);
  caller_ = std::make_unique<Caller>(control_, identity_, Caller::Options{});
  caller_->start();
  server_api_ = std::make_unique<ServerApi>(
      ApiServices{.caller = *caller_, .signer = tokens_, .clock = clock_, .limits = config_.api}, keys_);
  http::Limits limits;
  limits.max_body_bytes = config_.api.max_body_bytes;
  limits.max_connections = config_.api.max_connections;
  limits.max_per_address = config_.api.max_connections_per_address;
  limits.exempt = net::parse_networks(config_.api.exempt);
  auto api = http::Server::start(control_, config_.api.listen.host, config_.api.listen.port,
                                 server_api_->routes(), limits, certificate_.context());
  if (!api) return std::unexpected(api.error());
  api_ = std::move(*api);
  return {};
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
  make_threads();
  add_metrics(context_, config_, threads_, shards_, server_api_);
  if (auto open = open_listeners(); !open) return open;
  const std::string marker = "hongyan:" + config_.name + ":" + std::to_string(identity_.boot_id);
  for (std::size_t i = 0; i < threads_.size(); ++i) threads_[i].start(marker + ":" + std::to_string(i));
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
        for (const auto& thread : threads_) thread->set_nodes(nodes);
      });
  membership_->start();
  control_.spawn("peers", watch_peers(this));
  control_.start();
  return {};
}

void App::stop() {
  log::info("logic", "stopping");
  if (api_) api_->stop_and_wait(kDrain);  // calls under way still need the links
  leave();
  membership_->stop();
  link_server_->stop();
  if (kafka_) kafka_->stop();
  flush_cursors();
  for (auto& shard : shards_) shard->stop();
  control_.stop();
  control_.join();
  for (const auto& thread : threads_) thread->stop();
  for (const auto& thread : threads_) thread->join();
}

void App::leave() {
  for (const auto& shard : shards_) shard->leave();
  const SteadyTime deadline = SteadyClock::now() + kLeave;
  const auto left = [this] { return held_slots_.load() == 0 && gates_->heard(last_given_up_.load()); };
  while (!left() && SteadyClock::now() < deadline) std::this_thread::sleep_for(kLeaveLook);
  if (!left()) log::warn("logic", "stops before all gates know held_slots={}", held_slots_.load());
}

net::Awaitable<> App::watch_peers(App* self) {
  SteadyTime last_seen = SteadyClock::now();
  for (;;) {
    co_await net::sleep_for(kLookForPeers);
    const SteadyTime now = SteadyClock::now();
    if (self->gates_->has_peers(self->identity_.boot_id)) last_seen = now;
    for (const auto& shard : self->shards_) shard->set_ready(now - last_seen < kLonely);
  }
}

void App::flush_cursors() {
  std::vector<std::future<void>> flushed;
  for (const auto& thread : threads_) {
    const auto done = std::make_shared<std::promise<void>>();
    flushed.push_back(done->get_future());
    thread->run([done](Pipeline& pipeline) { pipeline.flush_cursors([done] { done->set_value(); }); });
  }
  const SteadyTime deadline = SteadyClock::now() + kDrain;
  for (auto& one : flushed) {
    if (one.wait_until(deadline) == std::future_status::ready) continue;
    return log::warn("logic", "stopped before all cursors were written");
  }
}

void App::shard_acquired(std::size_t shard, std::vector<AcquiredSlot> slots, Redo redo) {
  log::info("store", "slots acquired shard={} slots={} redo={} redo_groups={} pending={} settings={}",
            config_.mysql.shards[shard].name, slots.size(), redo.accepted.size(), redo.placed.size(),
            redo.pending.size(), shards_[shard]->settings());
  std::vector<Redo> by_thread(threads_.size());
  const auto of_thread = [&](const auto& row) -> Redo& { return by_thread[row.slot % threads_.size()]; };
  for (auto& row : redo.accepted) of_thread(row).accepted.push_back(std::move(row));
  for (auto& row : redo.placed) of_thread(row).placed.push_back(std::move(row));
  for (const auto& entry : redo.pending) of_thread(entry).pending.push_back(entry);
  held_slots_ += static_cast<std::int64_t>(slots.size());
  const auto shared_slots = std::make_shared<const std::vector<AcquiredSlot>>(slots);
  gates_->add(slots, [&](std::uint64_t version) {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      threads_[i].run(
          [shard, version, shared_slots, mine = std::move(by_thread[i])](Pipeline& pipeline) mutable {
            pipeline.shard_acquired(shard, *shared_slots, std::move(mine), version);
          });
    }
  });
}

void App::shard_lost(std::size_t shard, std::vector<Slot> slots) {
  log::info("store", "slots lost shard={} slots={}", config_.mysql.shards[shard].name, slots.size());
  const auto shared_slots = std::make_shared<const std::vector<Slot>>(std::move(slots));
  for (const auto& thread : threads_) {
    thread->run([shard, shared_slots](Pipeline& pipeline) { pipeline.slots_lost(shard, *shared_slots); });
  }
  last_given_up_ = gates_->remove(*shared_slots);
  held_slots_ -= static_cast<std::int64_t>(shared_slots->size());
}

void App::set_shard_status(std::size_t shard, SlotStatus status) {
  for (const auto& thread : threads_) {
    thread->run([shard, status](Pipeline& pipeline) { pipeline.shard_status(shard, status); });
  }
}

void App::shard_suspended(std::size_t shard, const std::string& reason) {
  log::error("store", "shard is away shard={} reason={}", config_.mysql.shards[shard].name,
             log::quoted(reason));
  set_shard_status(shard, SlotStatus::kSuspended);
}

void App::shard_resumed(std::size_t shard) {
  log::info("store", "shard is back shard={}", config_.mysql.shards[shard].name);
  set_shard_status(shard, SlotStatus::kServing);
}

void App::fenced_off(std::size_t shard, const std::string& reason) {
  log::error("store", "this process may not go on shard={} reason={}", config_.mysql.shards[shard].name,
             log::quoted(reason));
  context_.signals.stop(1, "fenced off: " + reason);
}

}  // namespace hongyan::logic
