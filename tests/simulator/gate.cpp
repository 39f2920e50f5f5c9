#include "tests/simulator/gate.h"

#include <algorithm>
#include <bitset>
#include <utility>

#include <google/protobuf/wire_format_lite.h>

#include "common/base/slot.h"
#include "common/protocol/commands.h"
#include "common/protocol/errors.h"
#include "proto/parse.h"
#include "tests/simulator/client.h"

namespace hongyan::simulator {

namespace {

constexpr Milliseconds kTick{50};
constexpr Milliseconds kConnectEvery{200};
constexpr Milliseconds kWatchEvery{250};
constexpr Milliseconds kMostSilence{3000};
constexpr Milliseconds kAliveReport{3000};

}  // namespace

void append_varint_field(std::string& out, std::uint32_t field, std::int64_t value) {
  using google::protobuf::internal::WireFormatLite;
  std::array<std::uint8_t, 16> bytes{};
  const std::uint8_t* end = WireFormatLite::WriteInt64ToArray(static_cast<int>(field), value, bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(end - bytes.data()));
}

Gate::Gate(Network& network, std::uint32_t number, std::vector<Node*> nodes)
    : network_(network), name_(fmt::format("gate {}", number)), nodes_(std::move(nodes)) {}

Gate::~Gate() { crash(); }

void Gate::start() {
  if (process_) return;
  network_.world().trace("{} starts", name_);
  process_ = std::make_shared<Process>(network_.world());
  boot_ = network_.world().draw() | 1;
  router_ = std::make_unique<owners::Router>(*this, owners::RouterOptions{});
  process_->every(kTick, [this] { router_->tick(network_.world().now()); });
  process_->every(kConnectEvery, [this] { connect_nodes(); });
  process_->every(kAliveReport, [this] { report_alive(); });
  watch_links();
}

void Gate::crash() {
  if (!process_) return;
  network_.world().trace("{} ends", name_);
  process_->kill();
  process_.reset();
  for (const auto& [node, link] : std::exchange(connections_, {})) {
    network_.world().after(network_.delay(), [link] {
      if (link->closed) return;
      link->close();
      link->node_process->post(Micros(0), [link] { link->node->link_down(link); });
    });
  }
  for (const auto& [channel, session] : std::exchange(sessions_, {})) {
    const ConnectionPtr connection = session.connection;
    network_.world().after(network_.delay(), [connection] { connection->client->lost(connection); });
  }
  logged_in_.clear();
  links_.clear();
  router_.reset();
}

void Gate::freeze() {
  if (!process_) return;
  network_.world().trace("{} stands still", name_);
  process_->freeze();
}

void Gate::thaw() {
  if (!process_ || !process_->frozen()) return;
  network_.world().trace("{} goes on", name_);
  process_->thaw();
}

// Links.

void Gate::connect_nodes() {
  for (Node* node : nodes_) {
    const auto known = connections_.find(node->number());
    if (known != connections_.end() && !known->second->closed) continue;
    const auto process = node->process();
    if (!process || network_.is_cut(name_, node->name()) || network_.is_cut(node->name(), name_)) continue;
    auto link = std::make_shared<Link>();
    link->number = next_link_++;
    link->gate = this;
    link->node = node;
    link->gate_process = process_;
    link->node_process = process;
    link->to_node = Pipe::make(network_, name_, node->name(), process);
    link->to_gate = Pipe::make(network_, node->name(), name_, process_);
    connections_[node->number()] = link;
    link->to_node->send([link] { link->node->link_up(link); });
  }
}

void Gate::watch_links() {
  // Both ends count the answers to their pings.
  network_.world().after(kWatchEvery, [this, process = process_] {
    if (process->dead()) return;
    const SteadyTime now = network_.world().now();
    for (const auto& [number, link] : connections_) {
      if (link->closed) continue;
      const std::string& other = link->node->name();
      const bool quiet = network_.is_cut(name_, other) || network_.is_cut(other, name_) ||
                         link->node_process->frozen() || link->gate_process->frozen() ||
                         link->node_process->dead();
      if (!quiet) {
        link->quiet_since = SteadyTime::max();
      } else if (link->quiet_since == SteadyTime::max()) {
        link->quiet_since = now;
      } else if (now - link->quiet_since >= kMostSilence) {
        link->close();
        link->gate_process->post(Micros(0), [this, link] { link_down(link); });
        link->node_process->post(Micros(0), [link] { link->node->link_down(link); });
      }
    }
    watch_links();
  });
}

void Gate::link_down(const LinkPtr& link) {
  link->close();
  if (links_.erase(link->number) == 0) return;
  router_->send_waiting(router_->node_down(link->number));
}

void Gate::slots(const LinkPtr& link, const owners::Announcement& announcement, std::uint64_t version) {
  if (link->closed) return;
  links_[link->number] = link;
  const auto changed = router_->node_announced(link->number, announcement);
  // The owner knows the sessions before their requests come.
  link::Sessions told;
  told.set_announce(true);
  told.set_last(true);
  told.set_slots_version(version);
  std::bitset<kSlotCount> added;
  for (const auto& range : announcement.added) {
    for (std::uint32_t slot = range.first; slot <= range.last; ++slot) added.set(slot);
  }
  for (auto& [channel, session] : sessions_) {
    if (!session.logged_in || !added.test(session.slot)) continue;
    if (router_->owners().owner(session.slot).node != link->number) continue;
    fill(*told.add_sessions(), session);
    session.alive_unreported = false;
    session.last_reported = network_.world().now();
  }
  tell(link, told);
  router_->send_waiting(changed);
}

void Gate::tell(const LinkPtr& link, const link::Sessions& told) {
  link->to_node->send([link, told] { link->node->sessions(link, told); });
}

void Gate::fill(link::Session& out, const Session& session) const {
  out.set_app_id(kApp);
  out.set_uid(session.uid);
  out.set_channel(session.connection->channel);
  out.set_device_type(session.device_type);
  out.set_device_id(session.device_id);
  out.set_login_epoch(session.login_epoch);
  out.set_expires_ms(session.expires_ms);
  out.set_last_active_ms(network_.world().wall_ms());
  out.set_acked_inbox_seq(session.acked_inbox_seq);
}

LinkPtr Gate::owner_of(Slot slot) {
  const auto found = links_.find(router_->owners().owner(slot).node);
  return found == links_.end() ? nullptr : found->second;
}

void Gate::report_alive() {
  std::map<owners::NodeId, link::Sessions> alive;
  for (auto& [channel, session] : sessions_) {
    if (!session.logged_in || !session.alive_unreported) continue;
    const LinkPtr link = owner_of(session.slot);
    if (!link) continue;
    session.alive_unreported = false;
    fill(*alive[link->number].add_sessions(), session);
  }
  for (const auto& [number, told] : alive) tell(links_.at(number), told);
}

// Requests.

owners::Requester::Sent Gate::send(owners::NodeId node, const owners::Request& request) {
  const Session* session = session_of(request.channel);
  if (session == nullptr) return Sent::kGone;
  const auto found = links_.find(node);
  if (found == links_.end() || found->second->closed) return Sent::kNotNow;
  Node::Request wanted{.seq = request.link_seq,
                       .slot = request.slot,
                       .slot_epoch = router_->owners().owner(request.slot).epoch,
                       .cmd_id = request.cmd_id,
                       .uid = session->uid,
                       .channel = request.channel,
                       .device_type = session->device_type,
                       .body = request.body};
  found->second->to_node->send(
      [link = found->second, wanted = std::move(wanted)] { link->node->request(link, wanted); });
  return Sent::kSent;
}

void Gate::response(const LinkPtr& link, const Response& response) {
  if (link->closed) return;
  router_->answer(link->number, response.seq,
                  {.not_owner = response.not_owner,
                   .known_epoch = response.known_epoch,
                   .refused = response.refused,
                   .login_epoch = response.login_epoch,
                   .expires_ms = response.expires_ms,
                   .confirm = response.confirm,
                   .body = response.body});
}

void Gate::answered(const owners::Request& request, const owners::Answer& answer) {
  Session* session = session_of(request.channel);
  if (session == nullptr) {
    if (answer.login_epoch == 0) return;
    // Logged in after the client had gone: nobody else would tell the owner.
    const LinkPtr link = owner_of(request.slot);
    if (!link) return;
    link->to_node->send([link, slot = request.slot, channel = request.channel] {
      link->node->session_closed(link, slot, channel);
    });
    return;
  }
  const bool is_auth = request.cmd_id == client::COMMAND_AUTH;
  respond(*session, request.cmd_id, request.client_seq, answer.body);
  if (!is_auth) return;
  if (answer.login_epoch != 0) log_in(*session, answer);
  auth_done(request.channel);
}

void Gate::refused(const owners::Request& request, const Error& error) {
  Session* session = session_of(request.channel);
  if (session == nullptr) return;
  respond(*session, request.cmd_id, request.client_seq, protocol::error_body(error));
  if (request.cmd_id != client::COMMAND_AUTH) return;
  session->auth_in_doubt = session->auth_in_doubt || error.code == Code::kDeadlineExceeded;
  auth_done(request.channel);
}

// The router may not be called back from within.
void Gate::auth_done(std::uint64_t channel) {
  process_->post(Micros(0), [this, channel] {
    Session* session = session_of(channel);
    if (session == nullptr) return;
    session->auth_pending = false;
    while (session != nullptr && !session->held.empty() && !session->auth_pending) {
      const ClientPacket packet = std::move(session->held.front());
      session->held.pop_front();
      take(*session, packet);
      session = session_of(channel);
    }
  });
}

void Gate::log_in(Session& session, const owners::Answer& answer) {
  session.login_epoch = answer.login_epoch;
  session.expires_ms = answer.expires_ms;
  session.last_reported = network_.world().now();
  const auto key = std::pair(session.uid, session.device_class);
  const auto known = logged_in_.find(key);
  Session* other = known == logged_in_.end() ? nullptr : session_of(known->second);
  if (other == &session) other = nullptr;
  if (other != nullptr && other->login_epoch > answer.login_epoch) return kick_other_login(session);
  session.logged_in = true;
  logged_in_[key] = session.connection->channel;
  if (answer.confirm) {
    if (const LinkPtr link = owner_of(session.slot)) {
      link::Sessions told;
      fill(*told.add_sessions(), session);
      tell(link, told);
    }
  }
  if (other == nullptr) return;
  other->logged_in = false;
  const bool same = !session.device_id.empty() && session.device_id == other->device_id;
  if (same) {
    close(other->connection->channel);
  } else {
    kick_other_login(*other);
  }
}

void Gate::kick_other_login(Session& session) {
  client::Kickout kickout;
  kickout.set_reason(client::KICK_REASON_OTHER_LOGIN);
  kick(session.connection->channel, kickout.SerializeAsString());
}

void Gate::push(const LinkPtr& link, Slot slot, std::uint32_t cmd_id, std::uint64_t channel,
                const std::string& body) {
  if (link->closed) return;
  Session* session = session_of(channel);
  if (session == nullptr || !(session->logged_in || session->auth_pending)) {
    link->to_node->send([link, slot, channel] { link->node->session_closed(link, slot, channel); });
    return;
  }
  if (session->logged_in) respond(*session, cmd_id, 0, body);
}

void Gate::kick(std::uint64_t channel, const std::string& kickout) {
  Session* session = session_of(channel);
  if (session == nullptr) return;
  if (!kickout.empty()) respond(*session, client::COMMAND_KICKOUT, 0, kickout);
  close(channel);
}

// Clients.

ConnectionPtr Gate::accept(Client& client) {
  if (!process_) return nullptr;
  auto connection = std::make_shared<Connection>();
  connection->client = &client;
  connection->gate = this;
  connection->channel = next_channel_++;
  connection->gate_process = process_;
  connection->to_gate = Pipe::make(network_, client.name(), name_, process_);
  connection->to_client = Pipe::make(network_, name_, client.name(), nullptr);
  sessions_[connection->channel] = {.connection = connection};
  return connection;
}

Gate::Session* Gate::session_of(std::uint64_t channel) {
  const auto found = sessions_.find(channel);
  return found == sessions_.end() ? nullptr : &found->second;
}

void Gate::from_client(const ConnectionPtr& connection, ClientPacket packet) {
  Session* session = session_of(connection->channel);
  if (session == nullptr) return;
  session->alive_unreported = true;
  if (session->auth_pending && !session->logged_in) {
    session->held.push_back(std::move(packet));
  } else {
    take(*session, packet);
  }
}

void Gate::take(Session& session, const ClientPacket& packet) {
  using protocol::Kind;
  const protocol::Command& command = protocol::command(packet.cmd_id);
  if (!session.logged_in && !command.before_login) {
    respond(session, packet.cmd_id, packet.seq,
            protocol::error_body({Code::kUnauthenticated, "log in first"}));
    return close(session.connection->channel);
  }
  switch (command.kind) {
    case Kind::kAuth:
      return auth(session, packet);
    case Kind::kRequest:
      return submit(session, packet);
    case Kind::kPush: {
      client::PushAck ack;
      if (!parse(ack, packet.body)) return;
      session.acked_inbox_seq = std::max(session.acked_inbox_seq, ack.seq());
      const LinkPtr link = owner_of(session.slot);
      if (!link) return;
      Node::Request wanted{.seq = 0,
                           .slot = session.slot,
                           .cmd_id = packet.cmd_id,
                           .uid = session.uid,
                           .channel = session.connection->channel,
                           .device_type = session.device_type,
                           .body = packet.body};
      link->to_node->send([link, wanted = std::move(wanted)] { link->node->request(link, wanted); });
      return;
    }
    case Kind::kNoop:
      return respond(session, packet.cmd_id, packet.seq, {});
    default:
      return;
  }
}

void Gate::auth(Session& session, const ClientPacket& packet) {
  client::AuthReq request;
  if (!parse(request, packet.body)) return;
  if (!session.logged_in) {
    if (std::exchange(session.auth_in_doubt, false)) tell_closed(session);
    session.uid = request.uid();
    session.device_type = static_cast<std::uint32_t>(request.device_type());
    session.device_class = device_class(session.device_type);
    session.device_id = request.device_id();
    session.slot = slot_of(kApp, session.uid);
  }
  session.auth_pending = true;
  submit(session, packet);
}

void Gate::submit(Session& session, const ClientPacket& packet) {
  const auto taken = router_->submit({.channel = session.connection->channel,
                                      .slot = session.slot,
                                      .cmd_id = packet.cmd_id,
                                      .client_seq = packet.seq,
                                      .is_send = protocol::command(packet.cmd_id).is_send,
                                      .body = packet.body},
                                     network_.world().now());
  if (taken) return;
  respond(session, packet.cmd_id, packet.seq, protocol::error_body(taken.error()));
  if (packet.cmd_id == client::COMMAND_AUTH) auth_done(session.connection->channel);
}

void Gate::respond(Session& session, std::uint32_t cmd_id, std::uint32_t seq, std::string_view body) {
  ClientPacket packet{.cmd_id = cmd_id, .seq = seq, .body = std::string(body)};
  session.connection->to_client->send([connection = session.connection, packet = std::move(packet)] {
    connection->client->take(connection, packet);
  });
}

void Gate::client_gone(const ConnectionPtr& connection) { close(connection->channel); }

void Gate::tell_closed(const Session& session) {
  const LinkPtr link = owner_of(session.slot);
  if (!link) return;
  link->to_node->send([link, slot = session.slot, channel = session.connection->channel] {
    link->node->session_closed(link, slot, channel);
  });
}

void Gate::close(std::uint64_t channel) {
  const auto found = sessions_.find(channel);
  if (found == sessions_.end()) return;
  const Session& session = found->second;
  if (session.logged_in || session.auth_pending || session.auth_in_doubt) tell_closed(session);
  const auto known = logged_in_.find({session.uid, session.device_class});
  if (known != logged_in_.end() && known->second == channel) logged_in_.erase(known);
  session.connection->to_client->send(
      [connection = session.connection] { connection->client->lost(connection); });
  sessions_.erase(found);
}

}  // namespace hongyan::simulator
