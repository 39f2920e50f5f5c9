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
                     ClientTable& clients, Counters& counters, ForwarderOptions options)
    : clients_(clients),
      counters_(counters),
      options_(options),
      nodes_(loop, identity, *this, {.worker = worker, .link = options.link}),
      router_(*this, options.router) {}

Status Forwarder::submit(const Client& client, std::uint32_t cmd_id, std::uint32_t client_seq,
                         std::string_view body, SteadyTime now) {
  return router_.submit({.channel = client.channel,
                         .slot = client.slot,
                         .cmd_id = cmd_id,
                         .client_seq = client_seq,
                         .is_send = is_send(cmd_id),
                         .body = body},
                        now);
}

bool Forwarder::send_request(link::Link& link, std::uint32_t link_seq, const Client& client,
                             std::uint32_t cmd_id, std::string_view body) {
  request_.set_cmd_id(cmd_id);
  request_.set_app_id(client.app_id);
  request_.set_uid(client.uid);
  request_.set_channel(client.channel);
  request_.set_device_type(client.device_type);
  return link.send(link::LINK_COMMAND_REQUEST, link_seq, client.slot, request_, body);
}

forward::RouterPort::Sent Forwarder::send(NodeId node, const forward::Request& request) {
  const Client* client = clients_.find(request.channel);
  if (client == nullptr) return Sent::kGone;
  link::Link* link = nodes_.link_of(node);
  if (link == nullptr || !send_request(*link, request.link_seq, *client, request.cmd_id, request.body)) {
    return Sent::kNotNow;
  }
  return Sent::kSent;
}

void Forwarder::ack(const Client& client, std::uint32_t cmd_id, std::string_view body) {
  link::Link* link = nodes_.link_of(router_.owners().owner(client.slot).node);
  if (link == nullptr || !send_request(*link, 0, client, cmd_id, body)) counters_.acks_dropped.add();
}

void Forwarder::answered(const forward::Request& request, const forward::Answer& answer) {
  Client* client = clients_.find(request.channel);
  if (client != nullptr) {
    client->session->on_answer(request.cmd_id, request.client_seq, request.body.size(), answer);
    return;
  }
  // Logged in after the client had gone: nobody else would tell the owner.
  if (answer.login_epoch != 0) send_closed(request.channel, request.slot);
}

void Forwarder::refused(const forward::Request& request, Code code, std::uint32_t retry_after_ms) {
  counters_.refused(code == Code::kUnavailable ? Refusal::kNoOwner : Refusal::kDeadline);
  Client* client = clients_.find(request.channel);
  if (client == nullptr) return;
  client->session->on_refused(
      request.cmd_id, request.client_seq, request.body.size(),
      Error{code, code == Code::kUnavailable ? "nobody serves this user now" : "no answer in time",
            retry_after_ms});
}

void Forwarder::confirm_login(Client& client, SteadyTime now) {
  link::Link* link = nodes_.link_of(router_.owners().owner(client.slot).node);
  if (link == nullptr) return;  // the next owner is told of all
  link::Sessions sessions;
  fill(*sessions.add_sessions(), client, now);
  client.alive_unreported = false;
  client.last_reported = now;
  static_cast<void>(link->send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
}

void Forwarder::session_closed(const Client& client) { send_closed(client.channel, client.slot); }

void Forwarder::send_closed(std::uint64_t channel, Slot slot) {
  link::Link* link = nodes_.link_of(router_.owners().owner(slot).node);
  if (link == nullptr) return;  // the next owner is told who is left
  link::SessionClosed closed;
  closed.set_channel(channel);
  static_cast<void>(link->send(link::LINK_COMMAND_SESSION_CLOSED, 0, slot, closed));
}

void Forwarder::fill(link::Session& out, const Client& client, SteadyTime now) const {
  out.set_app_id(client.app_id);
  out.set_uid(client.uid);
  out.set_channel(client.channel);
  out.set_device_type(client.device_type);
  out.set_device_id(client.device_id);
  out.set_login_epoch(client.login_epoch);
  out.set_expires_ms(client.expires_ms);
  const auto idle = std::chrono::duration_cast<Milliseconds>(now - client.last_packet).count();
  out.set_last_active_ms(wall_ms() - idle);
  out.set_acked_inbox_seq(client.acked_inbox_seq);
}

void Forwarder::report_alive(Client& client, SteadyTime now) {
  if (now - client.last_reported < options_.alive_report) return;
  const forward::Owner& owner = router_.owners().owner(client.slot);
  if (!owner.known()) return;
  client.alive_unreported = false;
  client.last_reported = now;
  fill(*alive_[owner.node].add_sessions(), client, now);
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
  clients_.for_each([&](Client& client) {
    if (!client.logged_in || router_.owners().owner(client.slot).node != node) return;
    fill(*sessions.add_sessions(), client, now);
    client.alive_unreported = false;
    client.last_reported = now;
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
    Client* client = clients_.find(channel);
    if (client == nullptr || !client->session->takes_pushes()) {
      counters_.pushes_gone.add();
      link::Gone gone;
      gone.set_channel(channel);
      static_cast<void>(link->send(link::LINK_COMMAND_GONE, 0, packet.slot, gone));
      continue;
    }
    if (push_.channels_size() == 1 || packet.payload.size() <= kCopiedBody) {
      client->session->push(push_.cmd_id(), packet.payload, suffix);
      continue;
    }
    if (!shared) shared = std::make_shared<const std::string>(packet.payload);
    client->session->push_shared(push_.cmd_id(), shared, suffix);
  }
}

void Forwarder::on_kick(const link::LinkPacket& packet) {
  link::Kick kick;
  if (!parse(kick, packet.envelope)) return;
  if (Client* client = clients_.find(kick.channel())) client->session->kick(packet.payload);
}

}  // namespace hongyan::gate
