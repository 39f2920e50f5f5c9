#include "logic/nodes/node_calls.h"

#include <algorithm>
#include <iterator>

#include "proto/parse.h"

namespace hongyan::logic {

namespace {

constexpr Milliseconds kLook{5000};

bool is_gone(const PeerPortPtr& port) { return !port->is_open(); }

}  // namespace

Status NodeCalls::take(const PeerPortPtr& port, const link::LinkPacket& packet) {
  switch (packet.command) {
    case link::LINK_COMMAND_NODE_FANOUT:
      return fan_out(port, packet);
    case link::LINK_COMMAND_NODE_ASK:
      return ask(port, packet);
    case link::LINK_COMMAND_NODE_ANSWER:
      return answer(packet);
    default:
      return {};  // of a newer version
  }
}

Status NodeCalls::fan_out(const PeerPortPtr& port, const link::LinkPacket& packet) {
  if (!parse(fan_out_, packet.envelope)) return fail(Code::kBadRequest, "lanes do not parse");
  auto batches = read_fan_out(fan_out_);
  if (!batches) return std::unexpected(batches.error());
  for (const auto& batch : *batches) {
    if (deps_.context.thread_of(batch.id.lane.destination) != deps_.context.index) {
      return fail(Code::kBadRequest, "a lane of another slot thread");
    }
  }
  for (auto& batch : *batches) {
    batch.source.peer = port;
    deps_.delivery.take(std::move(batch));
  }
  return {};
}

Status NodeCalls::ask(const PeerPortPtr& port, const link::LinkPacket& packet) {
  nodes::Ask message;
  if (!parse(message, packet.envelope)) return fail(Code::kBadRequest, "a question does not parse");
  GroupAsk ask = read(message);
  const Slot slot = slot_of_group(ask.group.app_id, ask.group.group_id);
  if (slot != packet.slot) return fail(Code::kBadRequest, "a question for another slot");
  if (deps_.context.slots.status(slot) == SlotStatus::kNotOwned) {
    reply(*port, {.number = ask.number,
                  .error = {Code::kUnavailable, "another node owns the group", kRetrySoonMs},
                  .result = {},
                  .not_owner = true});
    return {};
  }
  ask.asker.peer = port;
  if (ask.follow) {
    auto& ports = followers_[ask.group];
    if (std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
  }
  deps_.owned_groups.ask(std::move(ask));
  return {};
}

Status NodeCalls::answer(const link::LinkPacket& packet) {
  nodes::Answer message;
  if (!parse(message, packet.envelope)) return fail(Code::kBadRequest, "an answer does not parse");
  deps_.group_calls.answered(read(message));
  return {};
}

void NodeCalls::result(const PeerPortPtr& port, const LaneResult& result) {
  auto to = std::ranges::find(results_, port, &Results::port);
  if (to == results_.end()) to = results_.insert(to, {.port = port, .message = {}});
  write_result(to->message, result);
}

void NodeCalls::reply(PeerPort& port, const GroupReply& reply) {
  nodes::Reply message;
  write(message, reply);
  static_cast<void>(port.send(link::LINK_COMMAND_NODE_REPLY, 0, message));
}

void NodeCalls::news(const GroupBroadcast& message) {
  const auto it = followers_.find(message.group);
  if (it == followers_.end()) return;
  std::erase_if(it->second, is_gone);
  nodes::News packet;
  write(packet, message);
  // Who is not told of one would trust a head that is too low: a full link is as good as none.
  for (const auto& port : it->second) {
    if (!port->send(link::LINK_COMMAND_NODE_NEWS, 0, packet)) port->close("news were lost");
  }
}

void NodeCalls::flush() {
  for (const auto& [port, message] : results_) {
    static_cast<void>(port->send(link::LINK_COMMAND_NODE_RESULT, 0, message));
  }
  results_.clear();
}

void NodeCalls::tick() {
  if (deps_.context.now() < next_look_) return;
  next_look_ = deps_.context.now() + kLook;
  for (auto it = followers_.begin(); it != followers_.end();) {
    std::erase_if(it->second, is_gone);
    it = it->second.empty() ? followers_.erase(it) : std::next(it);
  }
}

}  // namespace hongyan::logic
