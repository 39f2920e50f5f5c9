#include "tools/bench/actors/receiver.h"

#include "proto/parse.h"

namespace hongyan::bench {

namespace {

constexpr std::uint32_t kPullSeq = 3;
constexpr std::uint32_t kAckSeq = 4;
constexpr std::int32_t kPage = 200;

std::string_view client_msg_id_of(const client::C2CPush& push) { return push.client_msg_id(); }
std::string_view client_msg_id_of(const client::S2CPush& /*push*/) { return {}; }

}  // namespace

void Receiver::start() {
  connection_->run(
      {.on_packet = [this](const net::Packet& packet) { on_packet(packet); },
       .on_batch_end = [this] { acknowledge(); },
       .on_lost =
           [this](const std::string& why) { shared_.give_up("a receiver's connection was lost: " + why); }});
}

void Receiver::on_packet(const net::Packet& packet) {
  switch (packet.header.cmd_id) {
    case client::COMMAND_C2C_PUSH:
      return on_push(push_, packet);
    case client::COMMAND_S2C:
      return on_push(server_push_, packet);
    case client::COMMAND_SYNC_NOTIFY:
      return pull();
    case client::COMMAND_PULL:
      return on_pull_response(packet);
    case client::COMMAND_KICKOUT:
      return shared_.give_up("a receiver was kicked out");
    default:
      return;
  }
}

template <typename Push>
void Receiver::on_push(Push& push, const net::Packet& packet) {
  if (packet.header.seq != 0) return shared_.give_up("an acknowledgement was refused");
  if (!parse(push, packet.body)) {
    return shared_.give_up("a push does not parse");
  }
  if (push.seq() > held_ + 1) return pull();
  ack_owed_ = push.msg_id();
  ack_command_ = static_cast<client::Command>(packet.header.cmd_id);
  on_row(push.seq(), {.content = push.content(), .client_msg_id = client_msg_id_of(push)});
}

void Receiver::acknowledge() {
  if (ack_owed_ == 0) return;
  ack_.set_msg_id(std::exchange(ack_owed_, 0));
  ack_.set_seq(held_);
  connection_->queue(ack_command_, kAckSeq, ack_);
}

void Receiver::on_row(std::int64_t seq, const Delivery& delivery) {
  if (seq <= held_) {
    ++redelivered_;
    return;
  }
  holes_ += static_cast<std::uint64_t>(seq - held_ - 1);
  held_ = seq;
  on_delivery_(delivery, connection_->read_at());
}

void Receiver::pull() {
  if (pulling_) return;
  pulling_ = true;
  ++pulls_;
  client::PullReq request;
  request.set_uid(uid_);
  request.set_offset(held_);
  request.set_limit(kPage);
  request.set_outbox_offset(-1);
  connection_->queue(client::COMMAND_PULL, kPullSeq, request);
}

void Receiver::on_pull_response(const net::Packet& packet) {
  client::PullResp response;
  if (!parse(response, packet.body)) {
    return shared_.give_up("a pull response does not parse");
  }
  if (response.error().code() != client::ERROR_CODE_OK &&
      response.error().code() != client::ERROR_CODE_UNAVAILABLE) {
    return shared_.give_up("a pull was refused: " + response.error().message());
  }
  pulling_ = false;
  for (const auto& row : response.msg()) {
    on_row(row.seq(), {.content = row.content(), .client_msg_id = row.client_msg_id()});
  }
  if (!response.msg().empty()) pull();
}

}  // namespace hongyan::bench
