// Plays the server's side of a ClientCore, packet by packet, with a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "client/cpp/core.h"

namespace hongyan::client {

struct Sent {
  Command command;
  std::uint32_t seq;
  std::string body;

  template <typename Body>
  [[nodiscard]] Body as() const {
    Body parsed;
    EXPECT_TRUE(parsed.ParseFromString(body));
    return parsed;
  }
};

class CoreFixture : public ::testing::Test {
 protected:
  static CoreOptions options() {
    CoreOptions options;
    options.uid = "alice";
    options.device_id = "d1";
    return options;
  }
  // What this user sends from other devices, too; ten of them are held.
  static CoreOptions with_sent() {
    CoreOptions out = options();
    out.receive_sent = true;
    out.held_outbox = 10;
    return out;
  }

  explicit CoreFixture(CoreOptions core_options = options())
      : core(std::move(core_options), [] { return 0.5; }) {}

  // Looks at what the core wants; packets go to `sent`, the rest to lists of its own.
  void settle() {
    for (Output& output : core.take()) {
      order.push_back(output.index());
      if (auto* write = std::get_if<output::Write>(&output)) take_packets(write->bytes);
      if (auto* done = std::get_if<output::SendDone>(&output))
        done_sends.emplace_back(done->id, done->result);
      if (auto* delivery = std::get_if<output::Deliver>(&output)) messages.push_back(delivery->message);
      if (auto* change = std::get_if<output::StateChanged>(&output)) states.push_back(change->state);
      if (auto* kick = std::get_if<output::Kicked>(&output)) kicks.push_back(kick->kick);
      if (auto* moved = std::get_if<output::HeldMoved>(&output)) held.push_back(moved->held);
      if (auto* group = std::get_if<output::GroupHeldMoved>(&output))
        group_held.emplace_back(group->group_id, group->held);
      connects += std::holds_alternative<output::Connect>(output) ? 1 : 0;
      closes += std::holds_alternative<output::Close>(output) ? 1 : 0;
      syncs += std::holds_alternative<output::Synced>(output) ? 1 : 0;
    }
  }

  void take_packets(const std::string& bytes) {
    net::PacketDecoder decoder(kMaxServerBodyBytes);
    decoder.feed(bytes);
    for (;;) {
      const auto next = decoder.next();
      ASSERT_TRUE(next);
      if (*next == nullptr) break;
      sent.push_back(
          {static_cast<Command>((*next)->header.cmd_id), (*next)->header.seq, std::string((*next)->body)});
    }
  }

  // The packets written since the last call, of one command.
  std::vector<Sent> taken(Command command) {
    std::vector<Sent> out;
    std::erase_if(sent, [&](const Sent& packet) {
      if (packet.command != command) return false;
      out.push_back(packet);
      return true;
    });
    return out;
  }
  Sent one(Command command) {
    auto packets = taken(command);
    EXPECT_EQ(packets.size(), 1U) << Command_Name(command);
    return packets.empty() ? Sent{} : packets.front();
  }

  template <typename Body>
  void answer(Command command, std::uint32_t seq, const Body& body) {
    const std::string bytes = body.SerializeAsString();
    net::Packet packet;
    packet.header = {.client_version = kClientVersion,
                     .cmd_id = static_cast<std::uint32_t>(command),
                     .seq = seq,
                     .body_length = static_cast<std::uint32_t>(bytes.size())};
    packet.body = bytes;
    core.on_packet(packet, now);
    settle();
  }
  void refuse(const Sent& request, ErrorCode code, std::uint32_t retry_after_ms = 0) {
    ErrorOnly error;
    error.mutable_error()->set_code(code);
    error.mutable_error()->set_retry_after_ms(retry_after_ms);
    answer(request.command, request.seq, error);
  }
  void accept(const Sent& request, std::int64_t msg_id, std::int64_t outbox_seq = 1) {
    C2CSendResp response;
    response.set_msg_id(msg_id);
    response.set_outbox_seq(outbox_seq);
    answer(request.command, request.seq, response);
  }
  void push(std::int64_t seq, std::int64_t msg_id = 0) {
    C2CPush body;
    body.set_from("bob");
    body.set_content("m" + std::to_string(seq));
    body.set_seq(seq);
    body.set_msg_id(msg_id != 0 ? msg_id : 1000 + seq);
    answer(COMMAND_C2C_PUSH, 0, body);
  }
  static PullResp page(std::int64_t first, std::int64_t last, std::int64_t head) {
    PullResp response;
    for (std::int64_t seq = first; seq <= last; ++seq) {
      auto* row = response.add_msg();
      row->set_from("bob");
      row->set_content("m" + std::to_string(seq));
      row->set_seq(seq);
      row->set_msg_id(1000 + seq);
      row->set_cmd_id(COMMAND_C2C_SEND);
    }
    response.set_inbox_seq(head);
    return response;
  }
  // seq: in the inbox; 0: of a large group.
  void group_push(std::int64_t seq, std::int64_t group_seq, const std::string& from = "bob",
                  const std::string& client_msg_id = "") {
    C2GPush body;
    body.set_from(from);
    body.set_group_id(kGroup);
    body.set_content("g" + std::to_string(group_seq));
    body.set_msg_id(2000 + group_seq % 1000);
    body.set_seq(seq);
    body.set_group_seq(group_seq);
    body.set_client_msg_id(client_msg_id);
    body.add_mentions("alice");
    answer(COMMAND_C2G_PUSH, 0, body);
  }
  void answer_pull(const PullResp& response) { answer(COMMAND_PULL, one(COMMAND_PULL).seq, response); }

  // Connects and authenticates; the pull waits for its answer.
  void authenticate(std::int64_t head = 0, std::int64_t acked = 0) {
    if (core.state() == State::kStopped) core.start(now);
    core.connected("token", 1, now);
    settle();
    AuthResp response;
    response.set_session_id(7);
    response.set_heartbeat_seconds(270);
    response.set_inbox_seq(head);
    response.set_acked_inbox_seq(acked);
    answer(COMMAND_AUTH, one(COMMAND_AUTH).seq, response);
  }
  void log_in(std::int64_t held_seq = 0) {
    authenticate(held_seq, held_seq);
    answer_pull(page(1, 0, held_seq));
  }

  SendId send(const std::string& to, const std::string& id, Milliseconds deadline = Milliseconds(30'000)) {
    core.send(++last_send, ToUser{to, "hello"}, {.client_msg_id = id, .deadline = deadline}, now);
    settle();
    return last_send;
  }
  void advance(Milliseconds step) {
    now += step;
    core.on_time(now);
    settle();
  }
  // To when the core next wants to be called.
  void advance_to_wake() {
    ASSERT_NE(core.next_wake(), SteadyTime::max());
    now = std::max(now, core.next_wake());
    core.on_time(now);
    settle();
  }
  void cut() {
    core.disconnected({.code = Code::kUnavailable, .message = "cut"}, now);
    settle();
  }
  std::vector<std::int64_t> group_seqs() const {
    std::vector<std::int64_t> out;
    for (const Message& message : messages) out.push_back(message.group_seq);
    return out;
  }
  std::vector<std::int64_t> seqs() const {
    std::vector<std::int64_t> out;
    for (const Message& message : messages) out.push_back(message.seq);
    return out;
  }

  static constexpr std::int64_t kGroup = 5;

  SteadyTime now{std::chrono::hours(1)};
  ClientCore core;
  std::vector<Sent> sent;
  std::vector<std::size_t> order;  // kinds of outputs
  std::vector<std::pair<SendId, Result<SendReceipt>>> done_sends;
  std::vector<Message> messages;
  std::vector<State> states;
  std::vector<Kick> kicks;
  std::vector<HeldSeqs> held;
  std::vector<std::pair<std::int64_t, std::int64_t>> group_held;
  int connects = 0;
  int closes = 0;
  int syncs = 0;
  SendId last_send = 0;
};

}  // namespace hongyan::client
