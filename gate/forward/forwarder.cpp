#include "gate/forward/forwarder.h"

#include <google/protobuf/wire_format_lite.h>

#include <array>

#include "common/log/log.h"
#include "common/protocol/commands.h"
#include "gate/session/session.h"
#include "proto/parse.h"

namespace hongyan::gate {

using owners::NodeId;

namespace {

constexpr int kSessionsAPacket = 500;
constexpr Milliseconds kOwnerless{1000};  // until it is looked again whether there is an owner to tell
// Up to here a body is cheaper to copy for each session than to share.
constexpr std::size_t kCopiedBody = 512;

// A field of protobuf's wire type 0.
class VarintField {
 public:
  void set(std::uint32_t field, std::int64_t value) noexcept {
    using google::protobuf::internal::WireFormatLite;
    end_ = WireFormatLite::WriteInt64ToArray(static_cast<int>(field), value, bytes_.data());
  }
  [[nodiscard]] std::string_view bytes() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), static_cast<std::size_t>(end_ - bytes_.data())};
  }

 private:
  std::array<std::uint8_t, 16> bytes_;  // a tag has up to 5, a value up to 10
  std::uint8_t* end_ = bytes_.data();
};

}  // namespace

Forwarder::Forwarder(net::EventLoop& loop, std::uint32_t worker, const link::Identity& identity,
                     ClientTable& clients, Counters& counters, const ForwarderOptions& options)
    : clients_(clients),
      counters_(counters),
      alive_report_(options.alive_report),
      owners_(loop, identity, *this,
              {.name = "gate", .worker = worker, .router = options.router, .link = options.link}) {}

Status Forwarder::submit(const Client& client, std::uint32_t cmd_id, std::uint32_t client_seq,
                         std::string_view body, SteadyTime now) {
  submitting_ = &client;
  auto taken = owners_.submit({.channel = client.channel,
                               .slot = client.slot,
                               .cmd_id = cmd_id,
                               .client_seq = client_seq,
                               .is_send = protocol::command(cmd_id).is_send,
                               .body = body},
                              now);
  submitting_ = nullptr;
  return taken;
}

link::ClientRequest& Forwarder::envelope_of(const Client& client, std::uint32_t cmd_id) {
  request_.set_cmd_id(cmd_id);
  request_.set_app_id(client.app_id);
  request_.set_uid(client.uid);
  request_.set_channel(client.channel);
  request_.set_device_type(client.device_type);
  request_.clear_slot_epoch();
  return request_;
}

owners::Requester::Sent Forwarder::send(NodeId node, const owners::Request& request) {
  const bool in_hand = submitting_ != nullptr && submitting_->channel == request.channel;
  const Client* client = in_hand ? submitting_ : clients_.find(request.channel);
  if (client == nullptr) return Sent::kGone;
  return owners_.send(node, request, envelope_of(*client, request.cmd_id));
}

void Forwarder::ack(const Client& client, std::uint32_t cmd_id, std::string_view body) {
  link::Link* link = owners_.owner_of(client.slot);
  const bool sent = link != nullptr &&
                    link->send(link::LINK_COMMAND_REQUEST, 0, client.slot, envelope_of(client, cmd_id), body);
  if (!sent) counters_.acks_dropped.add();
}

void Forwarder::answered(const owners::Request& request, const owners::Answer& answer) {
  Client* client = clients_.find(request.channel);
  if (client != nullptr) {
    client->session->on_answer(request.cmd_id, request.client_seq, request.body.size(), answer);
    return;
  }
  // Logged in after the client had gone: nobody else would tell the owner.
  if (answer.login_epoch != 0) send_closed(request.channel, request.slot);
}

void Forwarder::refused(const owners::Request& request, const Error& error) {
  counters_.refused(error.code == Code::kUnavailable ? Refusal::kNoOwner : Refusal::kDeadline);
  Client* client = clients_.find(request.channel);
  if (client == nullptr) return;
  client->session->on_refused(request.cmd_id, request.client_seq, request.body.size(), error);
}

void Forwarder::confirm_login(Client& client, SteadyTime now) {
  link::Link* link = owners_.owner_of(client.slot);
  if (link == nullptr) return;  // the next owner is told of all
  link::Sessions sessions;
  fill(*sessions.add_sessions(), client, now);
  client.alive_unreported = false;
  client.last_reported = now;
  static_cast<void>(link->send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
}

void Forwarder::session_closed(const Client& client) { send_closed(client.channel, client.slot); }

void Forwarder::send_closed(std::uint64_t channel, Slot slot) {
  link::Link* link = owners_.owner_of(slot);
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

void Forwarder::came_alive(Client& client) {
  clients_.look_no_later(client, client.last_reported + alive_report_);
}

SteadyTime Forwarder::report_alive(Client& client, SteadyTime now) {
  if (!client.logged_in || !client.alive_unreported) return SteadyTime::max();
  if (now - client.last_reported < alive_report_) return client.last_reported + alive_report_;
  const owners::Owner& owner = router().owners().owner(client.slot);
  if (!owner.known()) return now + kOwnerless;
  client.alive_unreported = false;
  client.last_reported = now;
  fill(*alive_[owner.node].add_sessions(), client, now);
  return SteadyTime::max();
}

void Forwarder::tick(SteadyTime now) {
  owners_.tick(now);
  for (const auto& [node, sessions] : alive_) {
    if (link::Link* link = owners_.link_of(node)) {
      static_cast<void>(link->send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
    }
  }
  alive_.clear();
}

void Forwarder::on_announced(NodeId node, link::Link& link, std::uint64_t version,
                             const owners::SlotSet& added) {
  // The owner knows the sessions before their requests come.
  const SteadyTime now = SteadyClock::now();
  link::Sessions sessions;
  sessions.set_announce(true);
  clients_.for_each([&](Client& client) {
    if (!client.logged_in || !added.test(client.slot)) return;
    if (router().owners().owner(client.slot).node != node) return;
    fill(*sessions.add_sessions(), client, now);
    client.alive_unreported = false;
    client.last_reported = now;
    if (sessions.sessions_size() < kSessionsAPacket) return;
    static_cast<void>(link.send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
    sessions.clear_sessions();
  });
  sessions.set_last(true);
  sessions.set_slots_version(version);
  static_cast<void>(link.send(link::LINK_COMMAND_SESSIONS, 0, 0, sessions));
}

void Forwarder::on_node_down(NodeId node) { alive_.erase(node); }

void Forwarder::on_packet(link::Link& link, const link::LinkPacket& packet) {
  switch (packet.command) {
    case link::LINK_COMMAND_PUSH:
      return on_push(link, packet);
    case link::LINK_COMMAND_KICK:
      return on_kick(packet);
    default:
      return;  // a newer node's, perhaps
  }
}

Session* Forwarder::session_for_push(link::Link& link, std::uint64_t channel, Slot slot) {
  Client* client = clients_.find(channel);
  if (client != nullptr && client->session->takes_pushes()) return client->session;
  counters_.pushes_gone.add();
  link::Gone gone;
  gone.set_channel(channel);
  static_cast<void>(link.send(link::LINK_COMMAND_GONE, 0, slot, gone));
  return nullptr;
}

void Forwarder::on_push(link::Link& link, const link::LinkPacket& packet) {
  if (!parse(push_, packet.envelope)) return;
  const bool numbered = push_.seqs_size() == push_.channels_size();
  if (!numbered && push_.seqs_size() != 0) {
    return log::error("gate", "a push with {} seqs for {} channels", push_.seqs_size(),
                      push_.channels_size());
  }
  const bool copied = push_.channels_size() == 1 || packet.payload.size() <= kCopiedBody;
  SharedBody shared;
  VarintField suffix;
  for (int i = 0; i < push_.channels_size(); ++i) {
    Session* session = session_for_push(link, push_.channels(i), packet.slot);
    if (session == nullptr) continue;
    if (numbered) suffix.set(push_.seq_field(), push_.seqs(i));
    if (copied) {
      session->push(push_.cmd_id(), packet.payload, suffix.bytes());
      continue;
    }
    if (!shared) shared = std::make_shared<const std::string>(packet.payload);
    session->push_shared(push_.cmd_id(), shared, suffix.bytes());
  }
}

void Forwarder::on_kick(const link::LinkPacket& packet) {
  link::Kick kick;
  if (!parse(kick, packet.envelope)) return;
  if (Client* client = clients_.find(kick.channel())) client->session->kick(packet.payload);
}

}  // namespace hongyan::gate
