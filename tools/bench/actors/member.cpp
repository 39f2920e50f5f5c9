#include "tools/bench/actors/member.h"

#include "proto/parse.h"
#include "tools/bench/actors/retry.h"

namespace hongyan::bench {

namespace {

constexpr std::uint32_t kPullSeq = 3;
constexpr std::uint32_t kAckSeq = 4;
constexpr std::int32_t kPage = 200;

// The parts of a push that a member looks at.
struct Pushed {
  std::string_view content;
  std::string_view client_msg_id;
  bool message = true;  // else a change of the group
};
Pushed parts_of(const client::C2GPush& push) {
  return {.content = push.content(), .client_msg_id = push.client_msg_id()};
}
Pushed parts_of(const client::CtrlPush& /*push*/) {
  return {.content = {}, .client_msg_id = {}, .message = false};
}

}  // namespace

void Member::start() {
  connection_->run({.on_packet = [this](const net::Packet& packet) { on_packet(packet); },
                    .on_batch_end = [this] { acknowledge(); },
                    .on_lost =
                        [this](const std::string& why) {
                          crowd_.shared().give_up("a member's connection was lost: " + why);
                        }});
}

void Member::on_packet(const net::Packet& packet) {
  switch (packet.header.cmd_id) {
    case client::COMMAND_C2G_PUSH:
      return on_push<client::C2GPush>(packet);
    case client::COMMAND_CTRL_PUSH:
      return on_push<client::CtrlPush>(packet);
    case client::COMMAND_SYNC_NOTIFY:
      return pull();
    case client::COMMAND_PULL:
      return on_pull_response(packet);
    case client::COMMAND_KICKOUT:
      return crowd_.shared().give_up("a member was kicked out");
    default:
      if (sender_ != nullptr) sender_->take(packet);
  }
}

bool Member::advance(std::int64_t& held, std::int64_t seq) {
  if (seq <= held) {
    ++redelivered_;
    return false;
  }
  crowd_.hole(static_cast<std::uint64_t>(seq - held - 1));
  held = seq;
  return true;
}

template <typename Push>
void Member::on_push(const net::Packet& packet) {
  static thread_local Push push;  // to spare allocations
  if (packet.header.seq != 0) return crowd_.shared().give_up("an acknowledgement was refused");
  if (!parse(push, packet.body)) {
    return crowd_.shared().give_up("a push does not parse");
  }
  const bool by_inbox = push.seq() != 0;
  std::int64_t& held = by_inbox ? held_ : group_held_;
  const std::int64_t seq = by_inbox ? push.seq() : push.group_seq();
  if (held < 0 || seq > held + 1) return pull();
  ack_owed_ = push.msg_id();
  ack_command_ = static_cast<client::Command>(packet.header.cmd_id);
  const Pushed parts = parts_of(push);
  if (advance(held, seq) && parts.message) {
    crowd_.delivered(number_, parts.client_msg_id, parts.content, connection_->read_at());
  }
}

void Member::acknowledge() {
  if (ack_owed_ == 0) return;
  static thread_local client::PushAck ack;
  ack.Clear();
  ack.set_msg_id(std::exchange(ack_owed_, 0));
  ack.set_seq(held_);
  if (group_held_ >= 0) {
    ack.set_group_id(crowd_.group_id());
    ack.set_group_seq(group_held_);
  }
  connection_->queue(ack_command_, kAckSeq, ack);
}

client::PullReq Member::pull_request() const {
  client::PullReq request;
  request.set_uid(uid_);
  request.set_offset(held_);
  request.set_limit(kPage);
  request.set_outbox_offset(-1);
  if (group_held_ >= 0) {
    auto& group = *request.add_groups();
    group.set_group_id(crowd_.group_id());
    group.set_offset(group_held_);
  }
  return request;
}

void Member::pull() {
  if (pulling_) {
    pull_again_ = true;
    return;
  }
  pulling_ = true;
  pull_again_ = false;
  ++pulls_;
  connection_->queue(client::COMMAND_PULL, kPullSeq, pull_request());
}

bool Member::take_page(const client::PullResp& response) {
  bool more = !response.msg().empty();
  const auto take = [this](std::int64_t& held, const client::PullMsg& row) {
    if (!advance(held, row.seq()) || row.cmd_id() != client::COMMAND_C2G_SEND) return;
    crowd_.delivered(number_, row.client_msg_id(), row.content(), connection_->read_at());
  };
  for (const auto& row : response.msg()) take(held_, row);
  for (const auto& page : response.groups()) {
    if (page.group_id() != crowd_.group_id() || page.msg().empty()) continue;
    more = true;
    if (group_held_ < 0) group_held_ = page.msg(0).seq() - 1;
    for (const auto& row : page.msg()) take(group_held_, row);
  }
  return more;
}

void Member::on_pull_response(const net::Packet& packet) {
  client::PullResp response;
  if (!parse(response, packet.body)) {
    return crowd_.shared().give_up("a pull response does not parse");
  }
  if (response.error().code() != client::ERROR_CODE_OK) {
    if (!for_now(response.error().code())) {
      return crowd_.shared().give_up("a pull was refused: " + response.error().message());
    }
    crowd_.shared().refused.fetch_add(1, std::memory_order_relaxed);
    connection_->later(retry_after(response.error().retry_after_ms()), [this] {
      pulling_ = false;
      pull();
    });
    return;
  }
  pulling_ = false;
  if (take_page(response) || pull_again_) pull();
}

net::Awaitable<Status> Member::catch_up() {
  for (;;) {
    const auto body =
        co_await connection_->request(client::COMMAND_PULL, kPullSeq, pull_request().SerializeAsString());
    if (!body) co_return std::unexpected(body.error());
    client::PullResp response;
    if (!response.ParseFromString(*body)) co_return fail(Code::kInternal, "a pull response does not parse");
    const auto code = response.error().code();
    if (code == client::ERROR_CODE_OK) {
      if (!take_page(response)) co_return Status{};
    } else if (for_now(code)) {
      co_await net::sleep_for(retry_after(response.error().retry_after_ms()));
    } else {
      co_return fail(static_cast<Code>(code), "a pull was refused: " + response.error().message());
    }
  }
}

}  // namespace hongyan::bench
