#include "tests/simulator/client.h"

#include <utility>

#include "common/base/assert.h"
#include "proto/parse.h"

namespace hongyan::simulator {

namespace {

constexpr Milliseconds kGroupDeadline{10'000};
constexpr Milliseconds kStartAgain{1000};
constexpr Milliseconds kSoon{300};
constexpr Milliseconds kLate{6000};

client::CoreOptions options_of(const std::string& uid) {
  client::CoreOptions options;
  options.app_id = kApp;
  options.uid = uid;
  options.device_id = "device of " + uid;
  options.held_inbox = 0;
  return options;
}

}  // namespace

Client::Client(Network& network, Ledger& ledger, std::string uid, std::vector<Gate*> gates)
    : network_(network),
      ledger_(ledger),
      uid_(std::move(uid)),
      gates_(std::move(gates)),
      core_(options_of(uid_),
            [&world = network.world()] { return static_cast<double>(world.draw() >> 11) * 0x1p-53; }) {}

void Client::start() {
  core_.start(network_.world().now());
  drain();
}

client::SendOptions Client::options_for(const std::string& id) {
  client::SendOptions options{.client_msg_id = id};
  // Some give up soon: then it is said whether the message may have been stored.
  if (network_.world().chance(0.4)) {
    options.deadline = std::chrono::duration_cast<Milliseconds>(network_.world().between(kSoon, kLate));
  }
  return options;
}

void Client::send_to(const std::string& uid) {
  const std::string id = next_id();
  const std::string content = "content of " + id;
  network_.world().trace("send {} to {}", id, uid);
  ledger_.sending(id, uid_, uid, 0, content);
  ids_[sent_] = id;
  core_.send(sent_, client::ToUser{.to = uid, .content = content}, options_for(id), network_.world().now());
  drain();
}

void Client::send_to_group(std::int64_t group_id) {
  const std::string id = next_id();
  const std::string content = "content of " + id;
  network_.world().trace("send {} to group {}", id, group_id);
  ledger_.sending(id, uid_, {}, group_id, content);
  ids_[sent_] = id;
  core_.send(sent_, client::ToGroup{.group_id = group_id, .content = content}, options_for(id),
             network_.world().now());
  drain();
}

void Client::group(client::GroupRequest request,
                   std::function<void(const Result<client::SendReceipt>&)> done) {
  const std::string id = next_id();
  network_.world().trace("command {} {}", id, static_cast<int>(request.type));
  commands_[sent_] = std::move(done);
  core_.send(sent_, std::move(request), {.client_msg_id = id, .deadline = kGroupDeadline},
             network_.world().now());
  drain();
}

void Client::drain() {
  if (draining_) return;
  draining_ = true;
  for (auto outputs = core_.take(); !outputs.empty(); outputs = core_.take()) {
    for (client::Output& output : outputs) perform(output);
  }
  draining_ = false;
  arm();
}

void Client::arm() {
  const SteadyTime wake = core_.next_wake();
  if (wake >= armed_) return;
  armed_ = wake;
  network_.world().at(wake, [this, wake] {
    if (armed_ != wake) return;
    armed_ = SteadyTime::max();
    core_.on_time(network_.world().now());
    drain();
  });
}

void Client::perform(client::Output& output) {
  if (std::holds_alternative<client::output::Connect>(output)) {
    connect();
  } else if (std::holds_alternative<client::output::Close>(output)) {
    ++attempt_;
    if (!connection_) return;
    const ConnectionPtr connection = std::exchange(connection_, nullptr);
    connection->closed = true;
    connection->to_gate->send([connection] { connection->gate->client_gone(connection); });
  } else if (const auto* bytes = std::get_if<client::output::Write>(&output)) {
    write(bytes->bytes);
  } else if (const auto* delivery = std::get_if<client::output::Deliver>(&output)) {
    network_.world().trace("{} gets number {} msg_id {}", uid_, delivery->message.seq,
                           delivery->message.msg_id);
    ledger_.delivered(uid_, delivery->message);
  } else if (const auto* done = std::get_if<client::output::SendDone>(&output)) {
    if (const auto command = commands_.find(done->id); command != commands_.end()) {
      const auto then = std::move(command->second);
      commands_.erase(command);
      network_.world().trace("command {}-{} {}", uid_, done->id,
                             done->result ? "done" : done->result.error().message);
      return then(done->result);
    }
    const std::string id = ids_.at(done->id);
    if (done->result) {
      ledger_.acknowledged(id, *done->result);
    } else {
      const client::Failure& error = done->result.error();
      const bool unknown = error.code == Code::kDeadlineExceeded || error.code == Code::kInternal;
      ledger_.failed(id, !unknown || error.message.starts_with("not accepted in time"));
    }
  } else if (const auto* change = std::get_if<client::output::StateChanged>(&output)) {
    network_.world().trace("{} {} {}", uid_, client::to_string(change->state), change->reason.message);
    // Its user starts it again.
    if (change->state == client::State::kStopped) network_.world().after(kStartAgain, [this] { start(); });
  }
}

void Client::connect() {
  const std::uint64_t attempt = ++attempt_;
  Gate* gate = gates_[network_.world().draw(gates_.size())];
  network_.world().after(network_.delay() * 3, [this, attempt, gate] {
    if (attempt != attempt_) return;
    connection_ = gate->accept(*this);
    asked_.clear();
    const SteadyTime now = network_.world().now();
    if (connection_) {
      core_.connected("token", network_.world().wall_ms(), now);
    } else {
      core_.disconnected({.code = Code::kUnavailable, .message = "refused"}, now);
    }
    drain();
  });
}

void Client::write(const std::string& bytes) {
  if (!connection_) return;
  net::PacketDecoder decoder(client::kMaxServerBodyBytes);
  decoder.feed(bytes);
  for (auto next = decoder.next(); next && *next != nullptr; next = decoder.next()) {
    ClientPacket packet{
        .cmd_id = (*next)->header.cmd_id, .seq = (*next)->header.seq, .body = std::string((*next)->body)};
    if (packet.cmd_id == client::COMMAND_AUTH || packet.cmd_id == client::COMMAND_PULL) {
      asked_[packet.seq] = ledger_.head_known(uid_);
    }
    connection_->to_gate->send([connection = connection_, packet = std::move(packet)] {
      connection->gate->from_client(connection, packet);
    });
  }
}

void Client::watch_head(const ClientPacket& packet) {
  const auto asked = asked_.find(packet.seq);
  if (packet.seq == 0 || asked == asked_.end()) return;
  const std::int64_t known = asked->second;
  asked_.erase(asked);
  if (packet.cmd_id == client::COMMAND_AUTH) {
    client::AuthResp response;
    if (parse(response, packet.body) && !response.has_error())
      ledger_.head_told(uid_, response.inbox_seq(), known);
  } else if (packet.cmd_id == client::COMMAND_PULL) {
    client::PullResp response;
    if (parse(response, packet.body) && !response.has_error())
      ledger_.head_told(uid_, response.inbox_seq(), known);
  }
}

void Client::take(const ConnectionPtr& connection, const ClientPacket& packet) {
  if (connection != connection_) return;
  watch_head(packet);
  const SteadyTime now = network_.world().now();
  core_.on_bytes(net::kHeaderSize + packet.body.size(), now);
  core_.on_packet({.header = {.cmd_id = packet.cmd_id,
                              .seq = packet.seq,
                              .body_length = static_cast<std::uint32_t>(packet.body.size())},
                   .body = packet.body},
                  now);
  drain();
}

void Client::lost(const ConnectionPtr& connection) {
  if (connection != connection_) return;
  connection->closed = true;
  connection_.reset();
  core_.disconnected({.code = Code::kUnavailable, .message = "connection lost"}, network_.world().now());
  drain();
}

void Client::cut() {
  if (!connection_) return;
  const ConnectionPtr connection = connection_;
  connection->to_gate->send([connection] { connection->gate->client_gone(connection); });
  lost(connection);
}

}  // namespace hongyan::simulator
