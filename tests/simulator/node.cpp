#include "tests/simulator/node.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "common/auth/token.h"
#include "common/base/assert.h"
#include "logic/ownership/leadership.h"
#include "logic/pipeline/pipeline.h"
#include "logic/store/shard.h"
#include "logic/store/shard_set.h"
#include "logic/store/slot_ranges.h"

namespace hongyan::simulator {

namespace {

constexpr Milliseconds kTick{100};
constexpr int kTicksOfUpkeep = 10;
constexpr Milliseconds kFlushPatience{2000};
constexpr Milliseconds kLeavePatience{2000};
constexpr Milliseconds kLookForGates{500};
constexpr Milliseconds kLonely{5000};
constexpr Milliseconds kPendingAfter{1500};
constexpr Milliseconds kConnectEvery{200};
constexpr Milliseconds kMostSilence{3000};
constexpr Milliseconds kStray{250};

link::Slots message_of(const owners::Announcement& change) {
  link::Slots slots;
  slots.set_delta(!change.whole);
  const auto add = [](auto& ranges, const owners::OwnedRange& of) {
    link::SlotRange& range = *ranges.Add();
    range.set_first(of.first);
    range.set_last(of.last);
    range.set_epoch(of.epoch);
  };
  for (const auto& range : change.added) add(*slots.mutable_ranges(), range);
  for (const auto& range : change.removed) add(*slots.mutable_removed(), range);
  return slots;
}

class AnyToken : public auth::TokenVerifier {
 public:
  [[nodiscard]] Result<std::int64_t> verify(std::string_view, std::string_view,
                                            std::string_view) const override {
    return std::int64_t{1} << 60;
  }
};

class NoRoutes : public logic::RouteStore {
 public:
  void put(const logic::User&, const logic::Session&) override {}
  void remove(const logic::User&, const logic::Session&) override {}
};

// A gate at the other end of a link.
class Port : public logic::GatePort {
 public:
  Port(const LinkPtr& link, std::string gate, std::uint64_t boot);
  [[nodiscard]] bool is_open() const noexcept override { return !link_->closed; }
  void respond(std::uint32_t seq, const logic::GateReply& reply) override;
  void respond_not_owner(std::uint32_t seq, Slot slot, std::uint64_t slot_epoch) override;
  bool push(Slot slot, std::uint32_t cmd_id, std::span<const std::uint64_t> channels, std::string_view body,
            const logic::PushSeqs& seqs) override;
  bool kick(std::uint64_t channel, std::string_view kickout) override;

 private:
  const LinkPtr link_;
};

}  // namespace

}  // namespace hongyan::simulator

#include "tests/simulator/gate.h"

namespace hongyan::simulator {

namespace {

Port::Port(const LinkPtr& link, std::string gate, std::uint64_t boot)
    : GatePort(std::move(gate), boot), link_(link) {}

void Port::respond(std::uint32_t seq, const logic::GateReply& reply) {
  if (!is_open()) return;
  Gate::Response response{.seq = seq,
                          .login_epoch = reply.login_epoch,
                          .expires_ms = reply.expires_ms,
                          .confirm = reply.confirm,
                          .refused = reply.refused,
                          .body = std::string(reply.body)};
  link_->to_gate->send(
      [link = link_, response = std::move(response)] { link->gate->response(link, response); });
}

void Port::respond_not_owner(std::uint32_t seq, Slot /*slot*/, std::uint64_t slot_epoch) {
  if (!is_open()) return;
  link_->to_gate->send([link = link_, seq, slot_epoch] {
    link->gate->response(link, {.seq = seq, .not_owner = true, .known_epoch = slot_epoch});
  });
}

bool Port::push(Slot slot, std::uint32_t cmd_id, std::span<const std::uint64_t> channels,
                std::string_view body, const logic::PushSeqs& seqs) {
  if (!is_open()) return false;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    std::string whole(body);
    if (!seqs.of_channels.empty()) append_varint_field(whole, seqs.field, seqs.of_channels[i]);
    link_->to_gate->send([link = link_, slot, cmd_id, channel = channels[i], whole = std::move(whole)] {
      link->gate->push(link, slot, cmd_id, channel, whole);
    });
  }
  return true;
}

bool Port::kick(std::uint64_t channel, std::string_view kickout) {
  if (!is_open()) return false;
  link_->to_gate->send(
      [link = link_, channel, body = std::string(kickout)] { link->gate->kick(channel, body); });
  return true;
}

}  // namespace

// The daemon from its start to its end.
class NodeLife : private logic::ShardObserver, private logic::WriterSink {
 public:
  NodeLife(Node& node, Network& network);
  ~NodeLife() override;

  [[nodiscard]] const std::shared_ptr<Process>& process() const noexcept { return process_; }
  void stop(std::string why);
  void link_up(const LinkPtr& link);
  void link_down(const LinkPtr& link);
  void sessions(const LinkPtr& link, const link::Sessions& told);

  using Turn = std::function<void(logic::Pipeline&)>;
  void run(std::uint32_t thread, Turn turn);
  void set_ready(bool ready) { wanted_ = ready; }
  void run_all(const Turn& turn) {
    for (std::uint32_t i = 0; i < threads_.size(); ++i) run(i, turn);
  }
  [[nodiscard]] std::shared_ptr<Port> port(const LinkPtr& link) const;
  void peer_up(const PeerLinkPtr& link);
  void peer_packet(const PeerLinkPtr& link, Node::PeerPacket packet);
  void peer_answer(const PeerLinkPtr& link, Node::PeerPacket packet);
  void peer_down(const PeerLinkPtr& link);
  [[nodiscard]] std::uint32_t thread_of(Slot slot) const noexcept {
    return slot % static_cast<std::uint32_t>(threads_.size());
  }
  [[nodiscard]] bool busy() const;

 private:
  struct Thread : public logic::PipelineHost {
    Thread(NodeLife& owner, std::uint32_t number) : life(owner), index(number) {}
    void later(std::function<void()> f) override {
      life.run(index, [f = std::move(f)](logic::Pipeline&) { f(); });
    }
    void mail(std::uint32_t thread, logic::ThreadMail mail) override {
      const auto shared = std::make_shared<logic::ThreadMail>(std::move(mail));
      life.run(thread, [shared](logic::Pipeline& pipeline) { pipeline.take_mail(std::move(*shared)); });
    }
    NodeLife& life;
    const std::uint32_t index;
    logic::PipelineCounters counters;
    std::unique_ptr<logic::Pipeline> pipeline;
    SteadyTime last{};  // when what was posted last is done
    int ticks = 0;
  };

  void make_shards();
  void make_threads();
  void tick(Thread& thread);
  void shut_down();
  void send_slots(const LinkPtr& link) const;
  void tell(const owners::Announcement& change);
  void watch_gates();
  [[nodiscard]] owners::Announcement all_slots() const;
  void connect_peers();
  void watch_peers();
  void end_peers();
  void take(const Status& good) {
    if (!good) network_.world().broken("{}: {}", node_.name(), good.error().message);
  }
  void set_status(std::size_t shard, logic::SlotStatus status) {
    run_all([shard, status](logic::Pipeline& pipeline) { pipeline.shard_status(shard, status); });
  }

  void shard_acquired(std::size_t shard, std::vector<logic::AcquiredSlot> slots, logic::Redo redo) override;
  void shard_lost(std::size_t shard, std::vector<Slot> slots) override;
  void shard_suspended(std::size_t shard, const std::string& reason) override;
  void shard_resumed(std::size_t shard) override;
  void fenced_off(std::size_t shard, const std::string& reason) override;
  void completed(std::vector<logic::WriterWorkPtr> batch) override { by_thread(std::move(batch)); }
  void completed(std::vector<logic::GroupWorkPtr> batch) override { by_thread(std::move(batch)); }
  template <typename Work>
  void by_thread(std::vector<Work> batch);

  Node& node_;
  Network& network_;
  const std::shared_ptr<Process> process_;
  const std::uint64_t boot_;
  logic::PipelineConfig config_;
  logic::GroupConfig group_config_;
  logic::Leadership leadership_;
  MsgIdClock clock_;
  AnyToken tokens_;
  NoRoutes routes_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::unique_ptr<logic::Shard>> shards_;  // before the threads are gone
  std::unique_ptr<logic::ShardSet> shard_set_;
  std::map<Slot, std::uint64_t> owned_;
  std::uint64_t version_ = 0;
  std::map<LinkPtr, std::uint64_t> heard_;  // by gates
  std::vector<std::pair<LinkPtr, std::shared_ptr<Port>>> ports_;
  bool wanted_ = true;
  SteadyTime last_gate_{};
  std::vector<std::pair<PeerLinkPtr, logic::PeerPortPtr>> peer_ports_;  // links that others began
  std::map<std::pair<std::uint32_t, Node*>, PeerLinkPtr> peer_links_;   // by thread: ours
  owners::NodeId next_peer_ = 1;
  bool stopping_ = false;
};

NodeLife::NodeLife(Node& node, Network& network)
    : node_(node),
      network_(network),
      process_(std::make_shared<Process>(network.world())),
      boot_(network.world().draw() | 1),
      clock_(node.number(), [&node] { return node.wall_ms(); }) {
  config_.pending_after = kPendingAfter;
  process_->post(Micros(0), [this] {
    make_shards();
    make_threads();
    for (const auto& shard : shards_) shard->start();
    last_gate_ = network_.world().now();
    process_->every(kLookForGates, [this] { watch_gates(); });
    process_->every(kConnectEvery, [this] { connect_peers(); });
  });
  watch_peers();
}

NodeLife::~NodeLife() {
  for (const auto& [link, port] : ports_) {
    // The kernel closes what the process had open.
    network_.world().after(network_.delay(), [link] {
      link->close();
      link->gate_process->post(Micros(0), [link] { link->gate->link_down(link); });
    });
  }
  end_peers();
  process_->kill();
  shards_.clear();
}

void NodeLife::make_shards() {
  std::array<std::uint16_t, kSlotCount> shard_of{};
  std::vector<logic::Shard*> pointers;
  for (std::size_t i = 0; i < node_.options_.shards.size(); ++i) {
    logic::ShardConfig config;
    config.name = std::to_string(i);
    config.host = node_.options_.shards[i]->name();
    config.user = node_.name();
    config.database = "hongyan";
    config.slots = node_.options_.shard_slots[i];
    for (const Slot slot : *logic::parse_slots(config.slots)) shard_of[slot] = static_cast<std::uint16_t>(i);
    shards_.push_back(
        logic::make_mysql_shard(i, std::move(config),
                                {.node = node_.number(),
                                 .boot_id = boot_,
                                 .clock = &clock_,
                                 .sink = this,
                                 .observer = this,
                                 .leadership = node_.options_.shared_sizes.empty() ? &leadership_ : nullptr,
                                 .shared_sizes = node_.options_.shared_sizes}));
    pointers.push_back(shards_.back().get());
  }
  shard_set_ = std::make_unique<logic::ShardSet>(std::move(pointers), shard_of);
}

void NodeLife::make_threads() {
  for (std::uint32_t i = 0; i < node_.options_.threads; ++i) {
    threads_.push_back(std::make_unique<Thread>(*this, i));
  }
  for (const auto& thread : threads_) {
    thread->pipeline =
        std::make_unique<logic::Pipeline>(logic::Pipeline::Deps{.index = thread->index,
                                                                .thread_count = node_.options_.threads,
                                                                .config = config_,
                                                                .group_config = group_config_,
                                                                .shards = *shard_set_,
                                                                .clock = clock_,
                                                                .counters = thread->counters,
                                                                .host = *thread,
                                                                .verifier = tokens_,
                                                                .routes = routes_,
                                                                .uploads = {}});
    thread->pipeline->context().wall = [&node = node_] { return node.wall_ms(); };
    tick(*thread);
  }
}

void NodeLife::tick(Thread& thread) {
  process_->every(kTick, [this, &thread] {
    run(thread.index, [&thread](logic::Pipeline& pipeline) {
      pipeline.tick();
      if (thread.ticks++ % kTicksOfUpkeep == 0) pipeline.upkeep();
    });
  });
}

void NodeLife::run(std::uint32_t index, Turn turn) {
  Thread& thread = *threads_[index];
  World& world = network_.world();
  thread.last = std::max(thread.last, world.now() + world.between(Micros(2), Micros(60)));
  process_->post(std::chrono::duration_cast<Micros>(thread.last - world.now()),
                 [&thread, turn = std::move(turn)] {
                   turn(*thread.pipeline);
                   thread.pipeline->end_turn();
                 });
}

template <typename Work>
void NodeLife::by_thread(std::vector<Work> batch) {
  std::vector<std::shared_ptr<std::vector<Work>>> parts(threads_.size());
  for (auto& work : batch) {
    auto& part = parts[work->thread];
    if (!part) part = std::make_shared<std::vector<Work>>();
    part->push_back(std::move(work));
  }
  for (std::uint32_t i = 0; i < parts.size(); ++i) {
    if (!parts[i]) continue;
    run(i, [works = parts[i]](logic::Pipeline& pipeline) { pipeline.works_finished(std::move(*works)); });
  }
}

void NodeLife::shard_acquired(std::size_t shard, std::vector<logic::AcquiredSlot> slots, logic::Redo redo) {
  network_.world().trace("{} has {} slots of shard {}: redo {} {} pending {}", node_.name(), slots.size(),
                         shard, redo.accepted.size(), redo.placed.size(), redo.pending.size());
  std::vector<std::shared_ptr<logic::Redo>> parts;
  for (std::size_t i = 0; i < threads_.size(); ++i) parts.push_back(std::make_shared<logic::Redo>());
  for (auto& row : redo.accepted) parts[thread_of(row.slot)]->accepted.push_back(std::move(row));
  for (auto& row : redo.placed) parts[thread_of(row.slot)]->placed.push_back(std::move(row));
  for (const auto& entry : redo.pending) parts[thread_of(entry.slot)]->pending.push_back(entry);
  const std::uint64_t version = ++version_;
  owners::Announcement change{.whole = false, .added = {}};
  for (const auto& acquired : slots) {
    owned_[acquired.slot] = acquired.epoch;
    change.added.push_back({.first = acquired.slot, .last = acquired.slot, .epoch = acquired.epoch});
  }
  const auto shared = std::make_shared<const std::vector<logic::AcquiredSlot>>(std::move(slots));
  for (std::uint32_t i = 0; i < threads_.size(); ++i) {
    run(i, [shard, shared, version, part = parts[i]](logic::Pipeline& pipeline) {
      pipeline.shard_acquired(shard, *shared, std::move(*part), version);
    });
  }
  tell(change);
}

void NodeLife::shard_lost(std::size_t shard, std::vector<Slot> slots) {
  network_.world().trace("{} loses {} slots of shard {}", node_.name(), slots.size(), shard);
  const auto shared = std::make_shared<const std::vector<Slot>>(std::move(slots));
  run_all([shard, shared](logic::Pipeline& pipeline) { pipeline.slots_lost(shard, *shared); });
  ++version_;
  owners::Announcement change{.whole = false, .added = {}};
  for (const Slot slot : *shared) {
    owned_.erase(slot);
    change.removed.push_back({.first = slot, .last = slot});
  }
  tell(change);
}

void NodeLife::tell(const owners::Announcement& change) {
  const auto shared = std::make_shared<const owners::Announcement>(change);
  for (const auto& [link, port] : ports_) {
    link->to_gate->send([link, shared, version = version_] { link->gate->slots(link, *shared, version); });
  }
  const link::Slots slots = message_of(change);
  for (const auto& [link, port] : peer_ports_)
    static_cast<void>(port->send(link::LINK_COMMAND_SLOTS, 0, slots));
}

owners::Announcement NodeLife::all_slots() const {
  owners::Announcement all;
  for (const auto& [slot, epoch] : owned_) {
    all.added.push_back({.first = slot, .last = slot, .epoch = epoch});
  }
  return all;
}

void NodeLife::send_slots(const LinkPtr& link) const {
  link->to_gate->send(
      [link, all = all_slots(), version = version_] { link->gate->slots(link, all, version); });
}

void NodeLife::watch_gates() {
  const SteadyTime now = network_.world().now();
  if (!ports_.empty()) last_gate_ = now;
  for (const auto& shard : shards_) shard->set_ready(wanted_ && now - last_gate_ < kLonely);
}

void NodeLife::sessions(const LinkPtr& link, const link::Sessions& told) {
  if (told.last()) heard_[link] = std::max(heard_[link], told.slots_version());
  const auto from = port(link);
  if (!from) return;
  run_all([from, told](logic::Pipeline& pipeline) { pipeline.sessions(from, told); });
}

// Links between nodes, as logic/app has them.

void close(const PeerLinkPtr& link) {
  if (std::exchange(link->closed, true)) return;
  link->there->close();
  link->back->close();
  link->from_process->post(Micros(0), [link] { link->from->peer_down(link); });
  link->to_process->post(Micros(0), [link] { link->to->peer_down(link); });
}

namespace {

class PeerEnd : public logic::PeerPort {
 public:
  PeerEnd(PeerLinkPtr link, bool back) : link_(std::move(link)), back_(back) {}
  [[nodiscard]] bool is_open() const noexcept override { return !link_->closed; }
  [[nodiscard]] bool send(link::LinkCommand command, Slot slot,
                          const google::protobuf::MessageLite& envelope) override {
    if (link_->from->mutation() == Mutation::kResultOfAnotherBatch && !mutate(command, envelope)) return true;
    if (!is_open()) return false;
    Node::PeerPacket packet{.command = command, .slot = slot, .envelope = envelope.SerializeAsString()};
    if (back_) {
      link_->back->send(
          [link = link_, packet = std::move(packet)] { link->from->peer_answer(link, packet); });
    } else {
      link_->there->send([link = link_, packet = std::move(packet)] { link->to->peer_packet(link, packet); });
    }
    return true;
  }
  void close(std::string_view /*reason*/) override { simulator::close(link_); }

 private:
  // False: it is on its way already.
  bool mutate(link::LinkCommand command, const google::protobuf::MessageLite& envelope) {
    if (command == link::LINK_COMMAND_NODE_FANOUT) {
      link_->from->lanes_sent(link_, dynamic_cast<const nodes::FanOut&>(envelope));
    }
    if (command != link::LINK_COMMAND_NODE_RESULT || is_open()) return true;
    link_->from_process->post(kStray, [link = link_, results = dynamic_cast<const nodes::FanOutResult&>(
                                                         envelope)] { link->from->stray_results(results); });
    return false;
  }

  const PeerLinkPtr link_;
  const bool back_;
};

link::LinkPacket view(const Node::PeerPacket& packet) {
  return {
      .command = packet.command, .seq = 0, .slot = packet.slot, .envelope = packet.envelope, .payload = {}};
}

}  // namespace

void NodeLife::connect_peers() {
  if (stopping_) return;
  for (Node* peer : node_.peers_) {
    const auto process = peer->process();
    const bool is_cut =
        network_.is_cut(node_.name(), peer->name()) || network_.is_cut(peer->name(), node_.name());
    if (!process || is_cut) continue;
    for (std::uint32_t thread = 0; thread < threads_.size(); ++thread) {
      PeerLinkPtr& link = peer_links_[{thread, peer}];
      if (link && !link->closed) continue;
      link = std::make_shared<PeerLink>();
      link->number = next_peer_++;
      link->thread = thread;
      link->from = &node_;
      link->to = peer;
      link->from_process = process_;
      link->to_process = process;
      link->there = Pipe::make(network_, node_.name(), peer->name(), process);
      link->back = Pipe::make(network_, peer->name(), node_.name(), process_);
      link->there->send([link] { link->to->peer_up(link); });
    }
  }
}

void NodeLife::watch_peers() {
  network_.world().after(kConnectEvery, [this, process = process_] {
    if (process->dead()) return;
    const SteadyTime now = network_.world().now();
    for (const auto& [key, link] : peer_links_) {
      if (!link || link->closed) continue;
      const bool quiet = network_.is_cut(node_.name(), link->to->name()) ||
                         network_.is_cut(link->to->name(), node_.name()) || link->from_process->frozen() ||
                         link->to_process->frozen() || link->to_process->dead();
      if (!quiet) {
        link->quiet_since = SteadyTime::max();
      } else if (link->quiet_since == SteadyTime::max()) {
        link->quiet_since = now;
      } else if (now - link->quiet_since >= kMostSilence) {
        close(link);
      }
    }
    watch_peers();
  });
}

void NodeLife::end_peers() {
  // The kernel closes what the process had open.
  std::vector<PeerLinkPtr> all;
  for (const auto& [key, link] : peer_links_) {
    if (link) all.push_back(link);
  }
  for (const auto& [link, port] : peer_ports_) all.push_back(link);
  for (const auto& link : all) network_.world().after(network_.delay(), [link] { close(link); });
}

void NodeLife::peer_up(const PeerLinkPtr& link) {
  if (stopping_ || threads_.empty()) return close(link);
  peer_ports_.emplace_back(link, std::make_shared<PeerEnd>(link, true));
  nodes::Hello hello;
  hello.set_threads(static_cast<std::uint32_t>(threads_.size()));
  auto& port = *peer_ports_.back().second;
  static_cast<void>(port.send(link::LINK_COMMAND_NODE_HELLO, 0, hello));
  static_cast<void>(port.send(link::LINK_COMMAND_SLOTS, 0, message_of(all_slots())));
}

void NodeLife::peer_packet(const PeerLinkPtr& link, Node::PeerPacket packet) {
  const auto found = std::ranges::find(peer_ports_, link, [](const auto& one) { return one.first; });
  if (found == peer_ports_.end()) return;
  run(thread_of(packet.slot),
      [this, port = found->second, packet = std::move(packet)](logic::Pipeline& pipeline) {
        take(pipeline.from_peer(port, view(packet)));
      });
}

void NodeLife::peer_answer(const PeerLinkPtr& link, Node::PeerPacket packet) {
  if (link->closed) return;
  if (!std::exchange(link->up, true)) {
    run(link->thread, [link](logic::Pipeline& pipeline) {
      pipeline.node_up(link->number, std::make_shared<PeerEnd>(link, false));
    });
  }
  run(link->thread, [this, link, packet = std::move(packet)](logic::Pipeline& pipeline) {
    take(pipeline.from_node(link->number, view(packet)));
  });
}

void NodeLife::peer_down(const PeerLinkPtr& link) {
  std::erase_if(peer_ports_, [&link](const auto& one) { return one.first == link; });
  if (link->from == &node_ && link->up) {
    run(link->thread, [link](logic::Pipeline& pipeline) { pipeline.node_down(link->number); });
  }
}

void NodeLife::shard_suspended(std::size_t shard, const std::string& reason) {
  network_.world().trace("{} suspends shard {}: {}", node_.name(), shard, reason);
  set_status(shard, logic::SlotStatus::kSuspended);
}

void NodeLife::shard_resumed(std::size_t shard) {
  network_.world().trace("{} resumes shard {}", node_.name(), shard);
  set_status(shard, logic::SlotStatus::kServing);
}

void NodeLife::fenced_off(std::size_t shard, const std::string& reason) {
  stop(fmt::format("fenced off shard {}: {}", shard, reason));
}

void NodeLife::stop(std::string why) {
  if (std::exchange(stopping_, true)) return;
  network_.world().trace("{} stops: {}", node_.name(), why);
  process_->spawn([this] { shut_down(); });
}

// As App::stop().
void NodeLife::shut_down() {
  World& world = network_.world();
  for (const auto& shard : shards_) shard->leave();
  const auto left = [this] {
    return owned_.empty() &&
           std::ranges::all_of(ports_, [this](const auto& one) { return heard_[one.first] >= version_; });
  };
  const SteadyTime last = world.now() + kLeavePatience;
  while (!left() && world.now() < last) Fiber::current()->sleep(Milliseconds(10));
  for (const auto& [link, port] : std::vector(ports_)) {
    link->to_gate->send([link] {
      if (link->closed) return;
      link->close();
      link->gate->link_down(link);
    });
  }
  for (const auto& [link, port] : std::vector(peer_ports_)) close(link);
  const auto flushed = std::make_shared<std::size_t>(0);
  run_all([flushed](logic::Pipeline& pipeline) { pipeline.flush_cursors([flushed] { ++*flushed; }); });
  const SteadyTime deadline = world.now() + kFlushPatience;
  while (*flushed < threads_.size() && world.now() < deadline) Fiber::current()->sleep(Milliseconds(5));
  for (const auto& shard : shards_) shard->stop();
  world.after(Micros(0), [&node = node_, process = process_] {
    if (node.process() == process) node.ended("stopped");
  });
}

void NodeLife::link_up(const LinkPtr& link) {
  if (stopping_ || threads_.empty()) return link->close();
  auto port = std::make_shared<Port>(link, link->gate->name(), link->gate->boot());
  ports_.emplace_back(link, port);
  run_all([port](logic::Pipeline& pipeline) { pipeline.gate_up(port); });
  send_slots(link);
}

void NodeLife::link_down(const LinkPtr& link) {
  const auto found = std::ranges::find(ports_, link, [](const auto& one) { return one.first; });
  if (found == ports_.end()) return;
  const auto port = found->second;
  ports_.erase(found);
  heard_.erase(link);
  run_all([port](logic::Pipeline& pipeline) { pipeline.gate_down(port); });
}

std::shared_ptr<Port> NodeLife::port(const LinkPtr& link) const {
  const auto found = std::ranges::find(ports_, link, [](const auto& one) { return one.first; });
  return found == ports_.end() ? nullptr : found->second;
}

bool NodeLife::busy() const {
  return std::ranges::any_of(threads_, [](const auto& thread) {
    return thread->counters.unfinished_bytes.load(std::memory_order_relaxed) != 0;
  });
}

// The machine.

Node::Node(Network& network, Options options)
    : network_(network), options_(std::move(options)), name_(fmt::format("node {}", options_.number)) {}

Node::~Node() = default;

std::shared_ptr<Process> Node::process() const { return life_ ? life_->process() : nullptr; }

std::int64_t Node::wall_ms() const { return network_.world().wall_ms() + clock_offset_ms_; }

void Node::start() {
  if (life_) return;
  network_.world().trace("{} starts", name_);
  life_ = std::make_unique<NodeLife>(*this, network_);
}

void Node::crash() {
  if (!life_) return;
  network_.world().trace("{} crashes", name_);
  life_.reset();
}

void Node::ended(const std::string& why) {
  network_.world().trace("{} has ended: {}", name_, why);
  life_.reset();
}

void Node::stop() {
  if (!life_) return;
  life_->process()->post(Micros(0), [life = life_.get()] { life->stop("asked to"); });
}

void Node::freeze() {
  if (!life_) return;
  network_.world().trace("{} stands still", name_);
  life_->process()->freeze();
}

void Node::thaw() {
  if (!life_ || !life_->process()->frozen()) return;
  network_.world().trace("{} goes on", name_);
  life_->process()->thaw();
}

void Node::redis_emptied() {
  if (life_) life_->run_all([](logic::Pipeline& pipeline) { pipeline.rewrite_routes(); });
}

void Node::set_ready(bool ready) {
  if (life_) life_->set_ready(ready);
}

void Node::link_up(const LinkPtr& link) { life_->link_up(link); }
void Node::link_down(const LinkPtr& link) { life_->link_down(link); }

void Node::request(const LinkPtr& link, Request request) {
  const auto port = life_->port(link);
  if (!port) return;
  life_->run(life_->thread_of(request.slot), [port, request = std::move(request)](logic::Pipeline& pipeline) {
    pipeline.request({.reply_to = {.gate = port, .seq = request.seq},
                      .slot = request.slot,
                      .slot_epoch = request.slot_epoch,
                      .cmd_id = request.cmd_id,
                      .app_id = kApp,
                      .uid = request.uid,
                      .channel = request.channel,
                      .device_type = request.device_type,
                      .body = request.body});
  });
}

void Node::sessions(const LinkPtr& link, const link::Sessions& told) { life_->sessions(link, told); }

void Node::session_closed(const LinkPtr& link, Slot slot, std::uint64_t channel) {
  const auto port = life_->port(link);
  if (!port) return;
  life_->run(life_->thread_of(slot),
             [port, channel](logic::Pipeline& pipeline) { pipeline.session_closed(*port, channel); });
}

void Node::peer_up(const PeerLinkPtr& link) { life_->peer_up(link); }
void Node::peer_packet(const PeerLinkPtr& link, PeerPacket packet) {
  life_->peer_packet(link, std::move(packet));
}
void Node::peer_answer(const PeerLinkPtr& link, PeerPacket packet) {
  life_->peer_answer(link, std::move(packet));
}
void Node::peer_down(const PeerLinkPtr& link) { life_->peer_down(link); }

void Node::lanes_sent(const PeerLinkPtr& link, const nodes::FanOut& packet) {
  for (const auto& lane : packet.lanes()) {
    in_flight_[{lane.source(), lane.destination()}] = {.link = link,
                                                       .epoch = lane.source_epoch(),
                                                       .number = lane.number(),
                                                       .rows = static_cast<std::size_t>(lane.rows_size())};
  }
}

void Node::stray_results(nodes::FanOutResult results) {
  for (auto& result : *results.mutable_lanes()) {
    const auto found = in_flight_.find({result.source(), result.destination()});
    if (found == in_flight_.end() || result.refused()) continue;
    const InFlight& now = found->second;
    result.set_source_epoch(now.epoch);
    result.set_number(now.number);
    result.mutable_outcomes()->resize(now.rows, 1);
    nodes::FanOutResult one;
    *one.add_lanes() = result;
    life_->peer_answer(
        now.link,
        {.command = link::LINK_COMMAND_NODE_RESULT, .slot = 0, .envelope = one.SerializeAsString()});
  }
}

bool Node::busy() const { return life_ && life_->busy(); }

}  // namespace hongyan::simulator
