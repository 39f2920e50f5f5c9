#include "tests/simulator/simulation.h"

#include <algorithm>
#include <memory>

#include "client/cpp/group.h"
#include "tests/simulator/client.h"
#include "tests/simulator/mysql.h"
#include "tests/simulator/substitutes.h"

namespace hongyan::simulator {

namespace {

constexpr Milliseconds kPatience{100'000};  // after everything was healed
constexpr Milliseconds kLook{250};
constexpr Milliseconds kSupervise{200};
constexpr std::int64_t kClockAheadMs = 3'600'000;
constexpr double kSomeLost = 0.15;
constexpr Milliseconds kLosing{250};
constexpr Micros kMostBetweenSends{400'000};

class Simulation {
 public:
  explicit Simulation(const RunOptions& options);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  RunResult run();

 private:
  void make_cluster();
  void schedule(const Fault& fault);
  void begin(const Fault& fault);
  void end(const Fault& fault);
  void cut(const Fault& fault, const std::string& a, const std::string& b, bool heal);
  void heal_all();
  [[nodiscard]] std::optional<std::size_t> leader() const;
  void supervise();
  void send_now_and_then(std::size_t client);
  void make_group();
  [[nodiscard]] std::string unfinished() const;
  [[nodiscard]] bool sending() const { return world_.elapsed() < options_.time; }

  const RunOptions options_;
  World world_;
  Network network_{world_};
  Ledger ledger_{world_};
  std::vector<std::unique_ptr<Database>> shards_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Gate>> gates_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<SteadyTime> node_rests_;  // until then
  std::vector<SteadyTime> gate_rests_;
  std::vector<std::int64_t> groups_;
};

Simulation::Simulation(const RunOptions& options) : options_(options), world_(options.seed) {
  if (options.print) world_.print_all();
  make_cluster();
}

Simulation::~Simulation() {
  for (const auto& gate : gates_) gate->crash();
  for (const auto& node : nodes_) node->crash();
  for (const auto& shard : shards_) serve(shard->name(), nullptr);
  forget_threads();
}

void Simulation::make_cluster() {
  const Shape& shape = options_.shape;
  std::vector<Database*> databases;
  std::vector<std::string> shard_slots;
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < shape.shards; ++i) {
    const std::size_t first = kSlotCount * i / shape.shards;
    const std::size_t end = kSlotCount * (i + 1) / shape.shards;
    std::vector<Slot> slots;
    for (std::size_t slot = first; slot < end; ++slot) slots.push_back(static_cast<Slot>(slot));
    sizes.push_back(slots.size());
    shard_slots.push_back(fmt::format("{}-{}", first, end - 1));
    shards_.push_back(std::make_unique<Database>(network_, i, std::move(slots), options_.mutation, ledger_));
    databases.push_back(shards_.back().get());
    // All have been there before: who comes first does not believe that it is alone.
    for (std::size_t node = 1; options_.shares && node <= shape.nodes; ++node) {
      shards_.back()->tables.nodes[static_cast<logic::NodeNumber>(node)] = {};
      shards_.back()->tables.beats[static_cast<logic::NodeNumber>(node)] = {};
    }
    serve(shards_.back()->name(), shards_.back().get());
  }
  std::vector<Node*> nodes;
  for (std::size_t i = 0; i < shape.nodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(
        network_, Node::Options{.number = static_cast<logic::NodeNumber>(i + 1),
                                .shards = databases,
                                .shard_slots = shard_slots,
                                .shared_sizes = options_.shares ? sizes : std::vector<std::size_t>(),
                                .mutation = options_.mutation}));
    nodes.push_back(nodes_.back().get());
  }
  for (Node* node : nodes) {
    std::vector<Node*> others;
    std::ranges::copy_if(nodes, std::back_inserter(others), [node](Node* other) { return other != node; });
    node->set_peers(std::move(others));
  }
  std::vector<Gate*> gates;
  for (std::size_t i = 0; i < shape.gates; ++i) {
    gates_.push_back(std::make_unique<Gate>(network_, static_cast<std::uint32_t>(i + 1), nodes));
    gates.push_back(gates_.back().get());
  }
  for (std::size_t i = 0; i < options_.users; ++i) {
    clients_.push_back(std::make_unique<Client>(network_, ledger_, fmt::format("u{}", i + 1), gates));
  }
  node_rests_.resize(shape.nodes);
  gate_rests_.resize(shape.gates);
}

RunResult Simulation::run() {
  for (const auto& node : nodes_) node->start();
  for (const auto& gate : gates_) gate->start();
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    clients_[i]->start();
    send_now_and_then(i);
  }
  supervise();
  if (options_.groups) make_group();
  const std::vector<Fault> faults = plan(options_.seed, options_.shape, options_.time, options_.shares);
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (!options_.faults || options_.faults->contains(i)) schedule(faults[i]);
  }
  while (sending() && world_.step()) {
  }
  heal_all();
  const SteadyTime deadline = world_.now() + kPatience;
  SteadyTime next_look = world_.now();
  while (world_.step()) {
    if (world_.now() < next_look) continue;
    next_look = world_.now() + kLook;
    const std::string left = unfinished();
    if (left.empty()) break;
    if (world_.now() >= deadline)
      world_.broken("{} s after everything was healed: {}", kPatience.count() / 1000, left);
  }
  return {.broken = world_.broken(),
          .digest = world_.digest(),
          .last_lines = world_.last_lines(),
          .sent = ledger_.sent_count(),
          .acknowledged = ledger_.acknowledged_count(),
          .took = world_.elapsed()};
}

std::string Simulation::unfinished() const {
  if (std::string left = ledger_.unfinished(); !left.empty()) return left;
  for (const auto& client : clients_) {
    if (!client->quiet()) return client->name() + " waits for answers";
    if (!client->online()) return client->name() + " is not online";
  }
  for (const auto& node : nodes_) {
    if (node->busy()) return node->name() + " has something to deliver";
  }
  return {};
}

void Simulation::send_now_and_then(std::size_t index) {
  world_.after(world_.between(Micros(0), kMostBetweenSends), [this, index] {
    if (!sending()) return;
    if (!groups_.empty() && world_.chance(0.3)) {
      clients_[index]->send_to_group(groups_[world_.draw(groups_.size())]);
    } else {
      clients_[index]->send_to(clients_[world_.draw(clients_.size())]->name());
    }
    send_now_and_then(index);
  });
}

void Simulation::make_group() {
  std::vector<std::string> others;
  for (std::size_t i = 1; i < clients_.size(); ++i) others.push_back(clients_[i]->name());
  clients_[0]->group(client::create_group("everybody", others),
                     [this](const Result<client::SendReceipt>& receipt) {
                       if (!receipt) {
                         if (sending()) make_group();
                         return;
                       }
                       const std::int64_t group_id = receipt->group.group().group_id();
                       for (const auto& client : clients_) ledger_.membership(group_id, client->name(), 1, 0);
                       groups_.push_back(group_id);
                     });
}

void Simulation::supervise() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->running() && world_.now() >= node_rests_[i]) nodes_[i]->start();
  }
  for (std::size_t i = 0; i < gates_.size(); ++i) {
    if (!gates_[i]->running() && world_.now() >= gate_rests_[i]) gates_[i]->start();
  }
  world_.after(kSupervise, [this] { supervise(); });
}

// Faults.

void Simulation::schedule(const Fault& fault) {
  world_.after(fault.at, [this, fault] {
    if (!sending()) return;
    world_.trace("FAULT {}", describe(fault));
    Fault resolved = fault;
    if (fault.of_leader) resolved.first = leader().value_or(fault.first);
    begin(resolved);
    world_.after(fault.lasts, [this, resolved] { end(resolved); });
  });
}

std::optional<std::size_t> Simulation::leader() const {
  const logic::NodeNumber owner = shards_.front()->tables.leases.front().owner;
  if (owner == 0) return std::nullopt;
  return owner - 1;
}

void Simulation::cut(const Fault& fault, const std::string& a, const std::string& b, bool heal) {
  const auto way = [&](const std::string& from, const std::string& to) {
    if (heal) {
      network_.heal(from, to);
    } else {
      network_.cut(from, to);
    }
  };
  if (fault.direction != Direction::kBack) way(a, b);
  if (fault.direction != Direction::kThere) way(b, a);
}

void Simulation::begin(const Fault& fault) {
  const auto node = [&]() -> Node& { return *nodes_[fault.first]; };
  const auto gate = [&]() -> Gate& { return *gates_[fault.first]; };
  const auto shard = [&]() -> Database& { return *shards_[fault.first]; };
  switch (fault.kind) {
    case FaultKind::kCrashNode:
      node_rests_[fault.first] = world_.now() + fault.lasts;
      return node().crash();
    case FaultKind::kFreezeNode:
      return node().freeze();
    case FaultKind::kStopNode:
      node_rests_[fault.first] = world_.now() + fault.lasts;
      return node().stop();
    case FaultKind::kRemoveNode:
      node_rests_[fault.first] = world_.now() + options_.time;
      return fault.strength < 0.5 ? node().stop() : node().crash();
    case FaultKind::kCrashGate:
      gate_rests_[fault.first] = world_.now() + fault.lasts;
      return gate().crash();
    case FaultKind::kFreezeGate:
      return gate().freeze();
    case FaultKind::kCutDatabase:
      return cut(fault, node().name(), shards_[fault.second]->name(), false);
    case FaultKind::kCutLink:
      return cut(fault, gate().name(), nodes_[fault.second]->name(), false);
    case FaultKind::kCutNodes:
      return cut(fault, node().name(), nodes_[fault.second]->name(), false);
    case FaultKind::kLoseAnswers:
      return shard().set_losses(0.02 + fault.strength * 0.3);
    case FaultKind::kDatabaseDown:
      world_.trace("{} is down", shard().name());
      return shard().set_up(false);
    case FaultKind::kDatabaseSlow:
      return shard().set_slow(Micros(static_cast<std::int64_t>(fault.strength * fault.strength * 3e6)));
    case FaultKind::kDatabaseReadOnly:
      return shard().set_read_only(true);
    case FaultKind::kDatabaseClock:
      return shard().set_clock_offset(fault.strength < 0.5 ? -kClockAheadMs : kClockAheadMs);
    case FaultKind::kNodeClock:
      return node().set_clock_offset(kClockAheadMs);
    case FaultKind::kNoNewConnections:
      shard().set_full(true);
      shard().set_losses(kSomeLost);
      world_.after(kLosing, [&lossy = shard()] { lossy.set_losses(0); });
      return;
    case FaultKind::kRedisEmptied:
      for (const auto& one : nodes_) one->redis_emptied();
      return;
    case FaultKind::kCutClients:
      for (const auto& client : clients_) {
        if (world_.chance(0.3 + fault.strength)) client->cut();
      }
      return;
    case FaultKind::kMoveSlots:
      return node().set_ready(false);
    case FaultKind::kCount:
      return;
  }
}

void Simulation::end(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::kFreezeNode:
      return nodes_[fault.first]->thaw();
    case FaultKind::kFreezeGate:
      return gates_[fault.first]->thaw();
    case FaultKind::kCutDatabase:
      return cut(fault, nodes_[fault.first]->name(), shards_[fault.second]->name(), true);
    case FaultKind::kCutLink:
      return cut(fault, gates_[fault.first]->name(), nodes_[fault.second]->name(), true);
    case FaultKind::kCutNodes:
      return cut(fault, nodes_[fault.first]->name(), nodes_[fault.second]->name(), true);
    case FaultKind::kLoseAnswers:
      return shards_[fault.first]->set_losses(0);
    case FaultKind::kDatabaseDown:
      return shards_[fault.first]->set_up(true);
    case FaultKind::kDatabaseSlow:
      return shards_[fault.first]->set_slow(Micros(0));
    case FaultKind::kDatabaseReadOnly:
      return shards_[fault.first]->set_read_only(false);
    case FaultKind::kDatabaseClock:
      return shards_[fault.first]->set_clock_offset(0);
    case FaultKind::kNoNewConnections:
      return shards_[fault.first]->set_full(false);
    case FaultKind::kNodeClock:
      return nodes_[fault.first]->set_clock_offset(0);
    case FaultKind::kMoveSlots:
      return nodes_[fault.first]->set_ready(true);
    default:
      return;
  }
}

void Simulation::heal_all() {
  world_.trace("HEALED");
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    node_rests_[i] = {};
    nodes_[i]->thaw();
    nodes_[i]->set_ready(true);
    nodes_[i]->set_clock_offset(0);
    for (const auto& shard : shards_) {
      network_.heal(nodes_[i]->name(), shard->name());
      network_.heal(shard->name(), nodes_[i]->name());
    }
    for (const auto& other : nodes_) network_.heal(nodes_[i]->name(), other->name());
    for (const auto& gate : gates_) {
      network_.heal(nodes_[i]->name(), gate->name());
      network_.heal(gate->name(), nodes_[i]->name());
    }
  }
  for (std::size_t i = 0; i < gates_.size(); ++i) {
    gate_rests_[i] = {};
    gates_[i]->thaw();
  }
  for (const auto& shard : shards_) {
    shard->set_up(true);
    shard->set_losses(0);
    shard->set_full(false);
    shard->set_slow(Micros(0));
    shard->set_read_only(false);
    shard->set_clock_offset(0);
  }
}

}  // namespace

RunResult run(const RunOptions& options) { return Simulation(options).run(); }

}  // namespace hongyan::simulator
