#include "logic/app/gate_links.h"

#include <algorithm>
#include <atomic>

#include "common/log/log.h"
#include "proto/parse.h"

namespace hongyan::logic {

namespace {

// The first link version whose peers take changes of slots; others are told the whole.
constexpr std::uint32_t kVersionOfChanges = 2;

// Appends it to the last range, where it follows.
void add_slot(google::protobuf::RepeatedPtrField<link::SlotRange>& ranges, Slot slot, std::uint64_t epoch) {
  if (!ranges.empty() && ranges.rbegin()->last() + 1 == slot && ranges.rbegin()->epoch() == epoch) {
    ranges.rbegin()->set_last(slot);
    return;
  }
  link::SlotRange& range = *ranges.Add();
  range.set_first(slot);
  range.set_last(slot);
  range.set_epoch(epoch);
}

}  // namespace

// A loop of a gate, or a logic node, at the other end of a link. Sessions on every slot thread hold it, so it
// must not keep the link alive: a link ends with its own loop.
class GateLinks::Port : public GatePort, public LinkPort {
 public:
  explicit Port(const link::LinkPtr& link)
      : GatePort(link->peer().node_id, link->peer().boot_id),
        LinkPort(link),
        is_gate_(link->peer().role == link::ROLE_GATE),
        takes_changes_(link->peer().link_version >= kVersionOfChanges),
        link_(link) {}

  [[nodiscard]] bool is_gate() const noexcept { return is_gate_; }
  [[nodiscard]] bool takes_changes() const noexcept { return takes_changes_; }

  // What the peer has said of what it was told of slots.
  void heard(std::uint64_t version) noexcept {
    if (version > heard_.load(std::memory_order_relaxed)) heard_.store(version, std::memory_order_release);
  }
  [[nodiscard]] bool has_heard(std::uint64_t version) const noexcept {
    return heard_.load(std::memory_order_acquire) >= version;
  }

  [[nodiscard]] bool is_open() const noexcept override { return LinkPort::is_open(); }
  using LinkPort::send;

  void respond(std::uint32_t seq, const GateReply& reply) override {
    link::ClientResponse response;
    response.set_login_epoch(reply.login_epoch);
    response.set_expires_ms(reply.expires_ms);
    response.set_confirm(reply.confirm);
    response.set_refused(reply.refused);
    response.set_partly_refused(reply.partly_refused);
    static_cast<void>(send(link::LINK_COMMAND_RESPONSE, seq, 0, response, reply.body));
  }
  void respond_not_owner(std::uint32_t seq, Slot slot, std::uint64_t slot_epoch) override {
    link::ClientResponse response;
    response.set_outcome(link::ClientResponse::OUTCOME_NOT_OWNER);
    response.set_slot_epoch(slot_epoch);
    static_cast<void>(send(link::LINK_COMMAND_RESPONSE, seq, slot, response));
  }
  bool push(Slot slot, std::uint32_t cmd_id, std::span<const std::uint64_t> channels, std::string_view body,
            const PushSeqs& seqs) override {
    link::Push push;
    push.set_cmd_id(cmd_id);
    push.mutable_channels()->Add(channels.begin(), channels.end());
    if (!seqs.of_channels.empty()) {
      push.mutable_seqs()->Add(seqs.of_channels.begin(), seqs.of_channels.end());
      push.set_seq_field(seqs.field);
    }
    return send(link::LINK_COMMAND_PUSH, 0, slot, push, body);
  }
  bool kick(std::uint64_t channel, std::string_view kickout) override {
    link::Kick kick;
    kick.set_channel(channel);
    return send(link::LINK_COMMAND_KICK, 0, 0, kick, kickout);
  }

  // False: the link is gone, closed or full.
  [[nodiscard]] bool send(link::LinkCommand command, std::uint32_t seq, std::uint32_t slot,
                          const google::protobuf::MessageLite& envelope, std::string_view payload = {}) {
    const auto link = link_.lock();
    return link && link->send(command, seq, slot, envelope, payload);
  }

 private:
  const bool is_gate_;
  const bool takes_changes_;
  std::atomic<std::uint64_t> heard_{0};  // by one slot thread at a time, or the same by several
  const std::weak_ptr<link::Link> link_;
};

// One buffer for the bytes of all packets.
struct GateLinks::Forwarded {
  struct Place {
    link::LinkCommand command;
    std::uint32_t seq;
    std::uint32_t slot;
    std::size_t begin;
    std::size_t envelope_size;
    std::size_t payload_size;
  };
  std::string bytes;
  std::vector<Place> places;

  void add(const link::LinkPacket& packet) {
    places.push_back({.command = packet.command,
                      .seq = packet.seq,
                      .slot = packet.slot,
                      .begin = bytes.size(),
                      .envelope_size = packet.envelope.size(),
                      .payload_size = packet.payload.size()});
    bytes.append(packet.envelope).append(packet.payload);
  }
  [[nodiscard]] link::LinkPacket at(const Place& place) const {
    const std::string_view all = bytes;
    return {.command = place.command,
            .seq = place.seq,
            .slot = place.slot,
            .envelope = all.substr(place.begin, place.envelope_size),
            .payload = all.substr(place.begin + place.envelope_size, place.payload_size)};
  }
};

GateLinks::GateLinks(const SlotThreads& threads) : threads_(threads), per_loop_(threads.size()) {}

link::Slots GateLinks::whole() const {
  link::Slots slots;
  slots.set_version(version_);
  for (const auto& [slot, epoch] : owned_) add_slot(*slots.mutable_ranges(), slot, epoch);
  return slots;
}

void GateLinks::tell(Port& port, const link::Slots& change) const {
  const bool told = port.takes_changes() ? port.send(link::LINK_COMMAND_SLOTS, 0, 0, change)
                                         : port.send(link::LINK_COMMAND_SLOTS, 0, 0, whole());
  // It is told again when it links up again.
  if (!told) port.close("cannot be told of slots");
}

std::uint64_t GateLinks::add(const std::vector<AcquiredSlot>& slots,
                             const std::function<void(std::uint64_t version)>& before) {
  const std::lock_guard lock(mutex_);
  link::Slots change;
  change.set_delta(true);
  change.set_version(++version_);
  for (const auto& acquired : slots) {
    owned_[acquired.slot] = acquired.epoch;
    add_slot(*change.mutable_ranges(), acquired.slot, acquired.epoch);
  }
  before(version_);
  for (const auto& port : all_ports_) tell(*port, change);
  return version_;
}

std::uint64_t GateLinks::remove(const std::vector<Slot>& slots) {
  const std::lock_guard lock(mutex_);
  link::Slots change;
  change.set_delta(true);
  change.set_version(++version_);
  for (const Slot slot : slots) {
    const auto owned = owned_.find(slot);
    if (owned == owned_.end()) continue;
    add_slot(*change.mutable_removed(), slot, owned->second);
    owned_.erase(owned);
  }
  for (const auto& port : all_ports_) tell(*port, change);
  return version_;
}

bool GateLinks::heard(std::uint64_t version) {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(all_ports_, [version](const auto& port) {
    return !port->is_gate() || !port->takes_changes() || port->has_heard(version);
  });
}

bool GateLinks::has_peers(std::uint64_t own_boot_id) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(all_ports_,
                             [own_boot_id](const auto& port) { return port->boot_id() != own_boot_id; });
}

void GateLinks::on_link_up(const link::LinkPtr& link) {
  const link::Role role = link->peer().role;
  if (role != link::ROLE_GATE && role != link::ROLE_LOGIC)
    return link->close("neither a gate nor a logic node");
  auto port = std::make_shared<Port>(link);
  per_loop_[threads_.index_of(link->loop())].ports[link.get()] = port;
  for (const auto& thread : threads_) {
    if (!port->is_gate()) break;
    thread->run([port](Pipeline& pipeline) { pipeline.gate_up(port); });
  }
  const std::lock_guard lock(mutex_);
  all_ports_.insert(port);
  if (!port->is_gate()) {
    nodes::Hello hello;
    hello.set_threads(static_cast<std::uint32_t>(threads_.size()));
    static_cast<void>(link->send(link::LINK_COMMAND_NODE_HELLO, 0, 0, hello));
  }
  tell(*port, whole());
}

void GateLinks::on_link_down(const link::LinkPtr& link) {
  auto& ports = per_loop_[threads_.index_of(link->loop())].ports;
  const auto it = ports.find(link.get());
  if (it == ports.end()) return;
  const auto port = it->second;
  ports.erase(it);
  {
    const std::lock_guard lock(mutex_);
    all_ports_.erase(port);
  }
  for (const auto& thread : threads_) {
    if (!port->is_gate()) break;
    thread->run([port](Pipeline& pipeline) { pipeline.gate_down(port); });
  }
}

void GateLinks::on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) {
  const std::size_t own = threads_.index_of(link->loop());
  PerLoop& mine = per_loop_[own];
  const auto it = mine.ports.find(link.get());
  if (it == mine.ports.end()) return;
  const std::shared_ptr<Port> port = it->second;
  std::vector<Forwarded> others(threads_.size());
  threads_[own].now([&](Pipeline& pipeline) {
    for (const auto& packet : packets) {
      if (packet.command == link::LINK_COMMAND_SESSIONS) {
        for (std::size_t thread = 0; thread < threads_.size(); ++thread) {
          if (thread != own) others[thread].add(packet);
        }
        handle(pipeline, mine, port, packet);
        continue;
      }
      const std::size_t thread = packet.slot % threads_.size();
      if (thread == own) {
        handle(pipeline, mine, port, packet);
      } else {
        others[thread].add(packet);
      }
    }
  });
  for (std::size_t thread = 0; thread < others.size(); ++thread) {
    if (others[thread].places.empty()) continue;
    threads_[thread].run([this, thread, port, forwarded = std::move(others[thread])](Pipeline& pipeline) {
      for (const auto& place : forwarded.places) {
        handle(pipeline, per_loop_[thread], port, forwarded.at(place));
      }
    });
  }
}

void GateLinks::request(Pipeline& pipeline, const link::ClientRequest& parsed,
                        const std::shared_ptr<Port>& port, const link::LinkPacket& packet) {
  const ReplyTo reply_to = {.gate = port, .seq = packet.seq};
  if (is_internal(parsed.cmd_id()) == port->is_gate()) {
    return reply_error(reply_to, {Code::kPermissionDenied, "not a command for this kind of peer"});
  }
  pipeline.request({.reply_to = reply_to,
                    .slot = static_cast<Slot>(packet.slot),
                    .slot_epoch = parsed.slot_epoch(),
                    .cmd_id = parsed.cmd_id(),
                    .app_id = parsed.app_id(),
                    .uid = parsed.uid(),
                    .channel = parsed.channel(),
                    .device_type = parsed.device_type(),
                    .body = packet.payload});
}

void GateLinks::from_node(Pipeline& pipeline, const std::shared_ptr<Port>& port,
                          const link::LinkPacket& packet) {
  const Status good = pipeline.from_peer(port, packet);
  if (good || !port->is_open()) return;
  port->close(good.error().message);
  log::error("link", "bad packet of a node peer={} command={} reason={}", log::quoted(port->gate_id()),
             static_cast<int>(packet.command), good.error().message);
}

void GateLinks::handle(Pipeline& pipeline, PerLoop& mine, const std::shared_ptr<Port>& port,
                       const link::LinkPacket& packet) {
  const auto parse = [&packet](google::protobuf::MessageLite& message) {
    return hongyan::parse(message, packet.envelope);
  };
  if (!port->is_gate() && packet.command != link::LINK_COMMAND_REQUEST) {
    return from_node(pipeline, port, packet);
  }
  bool parsed = true;
  switch (packet.command) {
    case link::LINK_COMMAND_REQUEST:
      parsed = parse(mine.request) && packet.slot < kSlotCount;
      // A request without a user is of the slot as a whole.
      if (parsed && !(mine.request.uid().empty() && is_internal(mine.request.cmd_id()))) {
        parsed = packet.slot == slot_of(mine.request.app_id(), mine.request.uid());
      }
      if (parsed) request(pipeline, mine.request, port, packet);
      break;
    case link::LINK_COMMAND_SESSIONS:
      parsed = parse(mine.sessions);
      if (parsed && mine.sessions.last()) port->heard(mine.sessions.slots_version());
      if (parsed) pipeline.sessions(port, mine.sessions);
      break;
    case link::LINK_COMMAND_SESSION_CLOSED: {
      link::SessionClosed closed;
      parsed = parse(closed);
      if (parsed) pipeline.session_closed(*port, closed.channel());
      break;
    }
    case link::LINK_COMMAND_GONE: {
      link::Gone gone;
      parsed = parse(gone);
      if (parsed) pipeline.session_closed(*port, gone.channel());
      break;
    }
    default:
      break;  // of a newer version
  }
  if (!parsed)
    log::error("link", "bad packet peer={} command={}", port->gate_id(), static_cast<int>(packet.command));
}

}  // namespace hongyan::logic
