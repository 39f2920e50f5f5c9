#include "gate/forward/forwarder.h"

#include "common/log/log.h"
#include "gate/session/session.h"

namespace hongyan::gate {

using forward::NodeId;

namespace {

constexpr int kSessionsAPacket = 500;
// Up to here a body is cheaper to copy for each session than to share.
constexpr std::size_t kCopiedBody = 512;

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// A field of protobuf's wire type 0.
std::string varint_field(std::uint32_t field, std::uint64_t value) {
  std::string out;  // short enough to need no memory of its own
  append_varint(out, std::uint64_t{field} << 3);
  append_varint(out, value);
  return out;
}

template <typename Message>
bool parse(Message& message, std::string_view bytes) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

bool is_send(std::uint32_t cmd_id) {
  return cmd_id == client::COMMAND_C2S || cmd_id == client::COMMAND_C2C_SEND ||
         cmd_id == client::COMMAND_C2G_SEND || cmd_id == client::COMMAND_CTRL_SEND;
}

}  // namespace

Forwarder::Forwarder(net::EventLoop& loop, std::uint32_t worker, const link::Identity& identity,
                     PeerTable& peers, Counters& counters, ForwarderOptions options)
    : peers_(peers),
      counters_(counters),
      options_(options),
      nodes_(loop, identity, *this, {.worker = worker, .link = options.link}),
      router_(*this, options.router) {}

Status Forwarder::submit(const Peer& peer, std::uint32_t cmd_id, std::uint32_t client_seq,
                         std::string_view body, SteadyTime now) {
  return router_.submit({.channel = peer.channel,
                         .slot = peer.slot,
                         .cmd_id = cmd_id,
                         .client_seq = client_seq,
                         .is_send = is_send(cmd_id),
                         .body = body},
                        now);
}

bool Forwarder::send_request(link::Link& link, std::uint32_t link_seq, const Peer& peer, std::uint32_t cmd_id,
                             std::string_view body) {
  request_.set_cmd_id(cmd_id);
  request_.set_app_id(peer.app_id);
  request_.set_uid(peer.uid);
  request_.set_channel(peer.channel);
  request_.set_device_type(peer.device_type);
  return link.send(link::LINK_COMMAND_REQUEST, link_seq, peer.slot, request_, body);
}

forward::RouterPort::Sent Forwarder::send(NodeId node, const forward::Request& request) {
  const Peer* peer = peers_.find(request.channel);
  if (peer == nullptr) return Sent::kGone;
  link::Link* link = nodes_.link_of(node);
  if (link == nullptr || !send_request(*link, request.link_seq, *peer, request.cmd_id, request.body)) {
    return Sent::kNotNow;
  }
  return Sent::kSent;
}

void Forwarder::send_ack(const Peer& peer, std::uint32_t cmd_id, std::string_view body) {
  link::Link* link = nodes_.link_of(router_.owners().owner(peer.slot).node);
  if (link == nullptr || !send_request(*link, 0, peer, cmd_id, body)) counters_.acks_dropped.add();
}

void Forwarder::answered(const forward::Request& request, const forward::Answer& answer) {
  Peer* peer = peers_.find(request.channel);
  if (peer != nullptr) {
    peer->session->on_answer(request.cmd_id, request.client_seq, request.body.size(), answer);
    return;
  }
  // Logged in after the client had gone: nobody else would tell the owner.
  if (answer.login_epoch != 0) send_closed(request.channel, request.slot);
}

void Forwarder::refused(const forward::Request& request, Code code, std::uint32_t retry_after_ms) {
  counters_.refused(code == Code::kUnavailable ? Refusal::kNoOwner : Refusal::kDeadline);
  Peer* peer = peers_.find(request.channel);
  if (peer == nullptr) return;
  peer->session->on_refused(
      request.cmd_id, request.client_seq, request.body.size(),
      Error{code, code == Code::kUnavailable ? "nobody serves this user now" : "no answer in time",
            retry_after_ms});
}

void Forwarder::confirm_login(Peer& peer, SteadyTime now) {
  link::Link* link = nodes_.link_of(router_.owners().owner(peer.slot).node);
  if (link == nullptr) return;  // the next owner is told of all
  link::Sessions sessions;
  fill(*sessions.add_sessions(), peer, now);
  peer.alive_unreported = false;
  peer.last_reported = now;
  static_cast<void>(link->send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
}

void Forwarder::session_closed(const Peer& peer) { send_closed(peer.channel, peer.slot); }

void Forwarder::send_closed(std::uint64_t channel, Slot slot) {
  link::Link* link = nodes_.link_of(router_.owners().owner(slot).node);
  if (link == nullptr) return;  // the next owner is told who is left
  link::SessionClosed closed;
  closed.set_channel(channel);
  static_cast<void>(link->send(link::LINK_COMMAND_SESSION_CLOSED, 0, slot, closed));
}

void Forwarder::fill(link::Session& out, const Peer& peer, SteadyTime now) const {
  out.set_app_id(peer.app_id);
  out.set_uid(peer.uid);
  out.set_channel(peer.channel);
  out.set_device_type(peer.device_type);
  out.set_device_id(peer.device_id);
  out.set_login_epoch(peer.login_epoch);
  out.set_expires_ms(peer.expires_ms);
  const auto idle = std::chrono::duration_cast<Milliseconds>(now - peer.last_packet).count();
  out.set_last_active_ms(wall_ms() - idle);
  out.set_acked_inbox_seq(peer.acked_inbox_seq);
}

void Forwarder::report_alive(Peer& peer, SteadyTime now) {
  if (now - peer.last_reported < options_.alive_report) return;
  const forward::Owner& owner = router_.owners().owner(peer.slot);
  if (!owner.known()) return;
  peer.alive_unreported = false;
  peer.last_reported = now;
  fill(*alive_[owner.node].add_sessions(), peer, now);
}

void Forwarder::tick(SteadyTime now) {
  router_.tick(now);
  for (const auto& [node, sessions] : alive_) {
    if (link::Link* link = nodes_.link_of(node)) {
      static_cast<void>(link->send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
    }
  }
  alive_.clear();
}

void Forwarder::announce_sessions(NodeId node, const link::LinkPtr& link) {
  const SteadyTime now = SteadyClock::now();
  link::Sessions sessions;
  sessions.set_announce(true);
  peers_.for_each([&](Peer& peer) {
    if (!peer.logged_in || router_.owners().owner(peer.slot).node != node) return;
    fill(*sessions.add_sessions(), peer, now);
    peer.alive_unreported = false;
    peer.last_reported = now;
    if (sessions.sessions_size() < kSessionsAPacket) return;
    static_cast<void>(link->send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
    sessions.clear_sessions();
  });
  sessions.set_last(true);
  static_cast<void>(link->send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
}

void Forwarder::on_link_up(const link::LinkPtr& link) { nodes_.up(link); }

void Forwarder::on_link_down(const link::LinkPtr& link) {
  const NodeId node = nodes_.down(link);
  if (node == 0) return;
  alive_.erase(node);
  router_.send_waiting(router_.node_down(node));
}

void Forwarder::on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) {
  const NodeId node = nodes_.id_of(link);
  if (node == 0) return;
  for (const auto& packet : packets) {
    switch (packet.command) {
      case link::LINK_COMMAND_RESPONSE:
        on_response(node, packet);
        break;
      case link::LINK_COMMAND_PUSH:
        on_push(link, packet);
        break;
      case link::LINK_COMMAND_KICK:
        on_kick(packet);
        break;
      case link::LINK_COMMAND_SLOTS:
        on_slots(node, link, packet);
        break;
      default:
        break;  // a newer node's, perhaps
    }
  }
}

void Forwarder::on_response(NodeId node, const link::LinkPacket& packet) {
  const auto answer = forward::parse_answer(packet);
  if (answer) router_.answer(node, packet.seq, *answer);
}

void Forwarder::on_slots(NodeId node, const link::LinkPtr& link, const link::LinkPacket& packet) {
  const auto ranges = forward::parse_slots(packet);
  if (!ranges) {
    log::error("gate", "bad packet node={} reason={}", log::quoted(link->peer().node_id),
               ranges.error().message);
    return link->close(ranges.error().message);
  }
  const auto changed = router_.node_announced(node, *ranges);
  if (!changed.empty()) {
    log::info("gate", "owner announced node={} changed_slots={} unowned={}",
              log::quoted(link->peer().node_id), changed.size(), router_.owners().unowned());
  }
  // The owner knows the sessions before their requests come.
  announce_sessions(node, link);
  router_.send_waiting(changed);
}

void Forwarder::on_push(const link::LinkPtr& link, const link::LinkPacket& packet) {
  if (!parse(push_, packet.envelope)) return;
  SharedBody shared;
  const bool numbered = push_.seqs_size() == push_.channels_size();
  if (!numbered && push_.seqs_size() != 0)
    return log::error("gate", "a push with {} seqs for {} channels", push_.seqs_size(),
                      push_.channels_size());
  std::string suffix;
  for (int i = 0; i < push_.channels_size(); ++i) {
    const std::uint64_t channel = push_.channels(i);
    if (numbered) suffix = varint_field(push_.seq_field(), static_cast<std::uint64_t>(push_.seqs(i)));
    Peer* peer = peers_.find(channel);
    if (peer == nullptr || !peer->session->takes_pushes()) {
      counters_.pushes_gone.add();
      link::Gone gone;
      gone.set_channel(channel);
      static_cast<void>(link->send(link::LINK_COMMAND_GONE, 0, packet.slot, gone));
      continue;
    }
    if (push_.channels_size() == 1 || packet.payload.size() <= kCopiedBody) {
      peer->session->push(push_.cmd_id(), packet.payload, suffix);
      continue;
    }
    if (!shared) shared = std::make_shared<const std::string>(packet.payload);
    peer->session->push_shared(push_.cmd_id(), shared, suffix);
  }
}

void Forwarder::on_kick(const link::LinkPacket& packet) {
  link::Kick kick;
  if (!parse(kick, packet.envelope)) return;
  if (Peer* peer = peers_.find(kick.channel())) peer->session->kick(packet.payload);
}

}  // namespace hongyan::gate
