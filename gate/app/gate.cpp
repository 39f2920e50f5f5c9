#include "gate/app/gate.h"

#include <malloc.h>

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "common/base/random.h"
#include "common/log/log.h"
#include "common/net/descriptors.h"
#include "gate/app/gate_metrics.h"

namespace hongyan::gate {

namespace {

constexpr Milliseconds kPoll{20};
constexpr Milliseconds kTrimInterval{5000};
constexpr std::uint32_t kManyClients = 200;

}  // namespace

Gate::Gate(GateConfig config, metrics::Registry& registry, metrics::Health& health)
    : config_(std::move(config)),
      identity_{.role = link::ROLE_GATE,
                .node_id = config_.name,
                .boot_id = random_id(),
                .secret = config_.common.cluster.secret},
      max_connections_(fitting_connections(config_)),
      admission_(config_.admission, max_connections_, config_.max_connections_per_address),
      certificate_("gate", config_.uses_tls()
                               ? daemon::CertificateFiles{config_.certificate_file, config_.key_file}
                               : daemon::CertificateFiles{}),
      registry_(registry),
      health_(health),
      threads_("gate", config_.workers) {}

Gate::~Gate() {
  main_loop_.stop();
  main_loop_.join();
  threads_.stop_and_join();
}

void Gate::reload() {
  certificate_.reload([this](const auto& tls) {
    for (auto& loop : loops_) loop->set_tls(tls);
  });
}

Status Gate::listen() {
  for (const TransportKind kind : protocol::kAllTransports) {
    if (!config_.listen(kind).set()) continue;
    if (auto listening = listen(kind); !listening) return listening;
  }
  return {};
}

Status Gate::listen(TransportKind kind) {
  const auto& endpoint = config_.listen(kind);
  auto& port = ports_[static_cast<std::size_t>(kind)];
  port = endpoint.port;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    const auto opened = loops_[i]->listen(kind, endpoint.host, port, i == 0);
    if (!opened) return std::unexpected(opened.error());
    port = *opened;
  }
  log::info("gate", "listening transport={} address={}:{}", to_string(kind), endpoint.host, port);
  return {};
}

Status Gate::start() {
  if (auto loaded = certificate_.load(); !loaded) return loaded;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    loops_.push_back(std::make_unique<GateLoop>(threads_.at(i), static_cast<std::uint32_t>(i), identity_,
                                                admission_, config_, certificate_.context()));
  }
  if (auto listening = listen(); !listening) return listening;
  add_gate_metrics(registry_, loops_);
  add_health();
  certificate_.watch(registry_, health_);
  membership_ = std::make_unique<link::Membership>(
      main_loop_, identity_,
      link::Membership::Options{.iplists = link::members_of(config_.common.cluster.iplists),
                                .fixed_nodes = link::members_of(config_.common.cluster.logic_nodes)},
      [this] { return heartbeat(); },
      [this](const std::vector<link::Member>& nodes) {
        for (auto& loop : loops_) loop->set_nodes(nodes);
      });
  for (auto& loop : loops_) loop->start();
  threads_.start();
  membership_->start();
  main_loop_.spawn("trim", trim_always(this));
  main_loop_.start();
  running_ = true;
  log::info("gate", "ready name={} workers={}", config_.name, loops_.size());
  return {};
}

net::Awaitable<> Gate::trim_always(Gate* self) {
  std::uint32_t most = 0;
  for (;;) {
    co_await net::sleep_for(kTrimInterval);
    most = std::max(most, self->admission_.take_peak());
    const std::uint32_t open = self->admission_.open();
    if (most < kManyClients || open > most / 2) continue;
    // What threads have freed stays theirs otherwise.
    ::malloc_trim(0);
    log::debug("gate", "memory given back connections={} before={}", open, most);
    most = open;
  }
}

void Gate::wait_for_loops() {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    auto ran = std::make_shared<std::promise<void>>();
    threads_.at(i).post([ran] { ran->set_value(); });
    ran->get_future().wait();
  }
}

void Gate::stop() {
  if (!running_) return;
  running_ = false;
  log::info("gate", "stopping connections={}", admission_.open());
  membership_->stop();
  for (auto& loop : loops_) loop->drain();
  wait_for_loops();
  const auto deadline = SteadyClock::now() + config_.drain_deadline;
  while (admission_.open() > 0 && SteadyClock::now() < deadline) std::this_thread::sleep_for(kPoll);
  for (auto& loop : loops_) loop->stop();
  wait_for_loops();
  wait_for_loops();  // what stop() posted: the links' last packets
  threads_.stop_and_join();
  main_loop_.stop();
  main_loop_.join();
  log::info("gate", "stopped");
}

std::uint32_t Gate::fitting_connections(const GateConfig& config) {
  const std::size_t limit = net::raise_descriptor_limit();
  const std::uint32_t fitting = connections_within(limit, config.workers);
  if (fitting >= config.max_connections) return config.max_connections;
  log::warn("gate", "max_connections={} but descriptors for {} only limit={}: raise the limit (ulimit -n)",
            config.max_connections, fitting, limit);
  return fitting;
}

bool Gate::out_of_descriptors() {
  std::uint64_t turned_away = 0;
  for (const auto& loop : loops_) {
    turned_away += loop->counters().refusals[static_cast<std::size_t>(Refusal::kNoDescriptors)].get();
  }
  return std::exchange(turned_away_, turned_away) != turned_away;
}

link::Heartbeat Gate::heartbeat() {
  link::Heartbeat heartbeat;
  for (const TransportKind kind : protocol::kAllTransports) {
    if (!config_.listen(kind).set()) continue;
    auto& endpoint = *heartbeat.add_endpoints();
    endpoint.set_transport(std::string(to_string(kind)));
    endpoint.set_host(config_.advertise.empty() ? config_.listen(kind).host : config_.advertise);
    endpoint.set_port(port(kind));
  }
  heartbeat.set_connections(out_of_descriptors() ? max_connections_ : admission_.open());
  heartbeat.set_max_connections(max_connections_);
  return heartbeat;
}

void Gate::add_health() {
  health_.add("owners", [this] {
    std::uint64_t unowned = 0;
    for (const auto& loop : loops_) unowned = std::max(unowned, loop->counters().unowned_slots.get());
    if (unowned == 0) return metrics::HealthCheck{};
    return metrics::HealthCheck{.state = metrics::HealthState::kDegraded,
                                .text = std::to_string(unowned) + " slots without an owner"};
  });
}

}  // namespace hongyan::gate
