#include "logic/nodes/other_nodes.h"

#include <utility>

#include "common/owners/owner_client.h"
#include "proto/parse.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kPacketBytes = 1 << 20;  // a packet is sent before it grows past it
constexpr std::uint32_t kMostThreads = 1024;

}  // namespace

void OtherNodes::up(owners::NodeId node, PeerPortPtr port) { nodes_[node].port = std::move(port); }

void OtherNodes::down(owners::NodeId node) {
  if (nodes_.erase(node) == 0) return;
  std::vector<std::uint64_t> lost;
  for (const auto& [number, batch] : outstanding_) {
    if (batch.node == node) lost.push_back(number);
  }
  const auto changed = context_.owners.gone(node);
  for (const std::uint64_t number : lost) give_back(number, BatchFate::kLost);
  listener_.asks_lost(node);
  listener_.owners_changed(changed);
}

Status OtherNodes::take(owners::NodeId node, const link::LinkPacket& packet) {
  const auto it = nodes_.find(node);
  if (it == nodes_.end()) return {};
  switch (packet.command) {
    case link::LINK_COMMAND_NODE_HELLO:
      return hello(it->second, packet);
    case link::LINK_COMMAND_SLOTS:
      return slots(node, packet);
    case link::LINK_COMMAND_NODE_RESULT:
      return results(node, packet);
    case link::LINK_COMMAND_NODE_REPLY:
      return reply(node, packet);
    case link::LINK_COMMAND_NODE_NEWS:
      return news(node, packet);
    default:
      return {};  // of a newer version
  }
}

Status OtherNodes::hello(Node& node, const link::LinkPacket& packet) {
  nodes::Hello hello;
  if (!parse(hello, packet.envelope) || hello.threads() == 0 || hello.threads() > kMostThreads) {
    return fail(Code::kBadRequest, "hello of a node");
  }
  node.threads = hello.threads();
  return {};
}

Status OtherNodes::slots(owners::NodeId node, const link::LinkPacket& packet) {
  link::Slots told;
  const auto announcement = owners::parse_slots(packet, told);
  if (!announcement) return std::unexpected(announcement.error());
  listener_.owners_changed(context_.owners.announced(node, *announcement));
  return {};
}

Status OtherNodes::results(owners::NodeId node, const link::LinkPacket& packet) {
  if (!parse(results_, packet.envelope)) return fail(Code::kBadRequest, "results do not parse");
  for (const auto& result : results_.lanes()) {
    const auto it = outstanding_.find(result.number());
    if (it == outstanding_.end() || it->second.id != id_of(result) || it->second.node != node) continue;
    if (!result.refused() && !read_outcomes(result, it->second.works)) {
      return fail(Code::kBadRequest, "as many outcomes as rows");
    }
    give_back(result.number(), result.refused() ? BatchFate::kRefused : BatchFate::kTried);
  }
  return {};
}

Status OtherNodes::reply(owners::NodeId node, const link::LinkPacket& packet) {
  nodes::Reply message;
  if (!parse(message, packet.envelope)) return fail(Code::kBadRequest, "a reply does not parse");
  auto reply = read(message);
  if (!reply) return std::unexpected(reply.error());
  reply->from = node;
  listener_.group_reply(std::move(*reply));
  return {};
}

Status OtherNodes::news(owners::NodeId node, const link::LinkPacket& packet) {
  nodes::News message;
  if (!parse(message, packet.envelope)) return fail(Code::kBadRequest, "news do not parse");
  listener_.group_news(node, read(message));
  return {};
}

OtherNodes::Node* OtherNodes::owner_of(Slot slot) {
  const auto it = nodes_.find(context_.owners.owner(slot).node);
  return it == nodes_.end() || it->second.threads == 0 ? nullptr : &it->second;
}

void OtherNodes::send(LaneBatch batch) {
  const Slot destination = batch.id.lane.destination;
  Node* node = owner_of(destination);
  if (node == nullptr) {
    return listener_.lane_result(
        {.id = batch.id, .fate = BatchFate::kRefused, .works = std::move(batch.works)});
  }
  Gathered& gathered = node->gathered[destination % node->threads];
  gathered.packet.add(batch);
  gathered.batches.push_back(batch.id.number);
  context_.counters.node_rows.add(batch.works.size());
  deadlines_.emplace_back(context_.now() + kPatience, batch.id.number);
  outstanding_[batch.id.number] = {
      .id = batch.id, .node = context_.owners.owner(destination).node, .works = std::move(batch.works)};
  if (gathered.packet.bytes() >= kPacketBytes) flush(*node, gathered);
}

void OtherNodes::flush(Node& node, Gathered& gathered) {
  if (gathered.packet.empty()) return;
  const auto slot = static_cast<Slot>(gathered.packet.message().lanes(0).destination());
  const auto batches = std::exchange(gathered.batches, {});
  const bool sent = node.port->send(link::LINK_COMMAND_NODE_FANOUT, slot, gathered.packet.message());
  gathered.packet.clear();
  if (sent) return;
  for (const std::uint64_t number : batches) give_back(number, BatchFate::kRefused);
}

void OtherNodes::flush() {
  for (auto& [id, node] : nodes_) {
    for (auto& [thread, gathered] : node.gathered) flush(node, gathered);
  }
}

void OtherNodes::give_back(std::uint64_t number, BatchFate fate) {
  const auto it = outstanding_.find(number);
  if (it == outstanding_.end()) return;
  LaneResult result{.id = it->second.id, .fate = fate, .works = std::move(it->second.works)};
  outstanding_.erase(it);
  if (fate == BatchFate::kLost) context_.counters.node_losses.add();
  listener_.lane_result(std::move(result));
}

bool OtherNodes::send(Slot slot, const GroupAsk& ask) {
  const Node* node = owner_of(slot);
  nodes::Ask message;
  write(message, ask);
  return node != nullptr && node->port->send(link::LINK_COMMAND_NODE_ASK, slot, message);
}

void OtherNodes::send(Slot slot, const CtrlAnswer& answer) {
  const Node* node = owner_of(slot);
  if (node == nullptr) return;  // who sent the command sends it again, and finds the outcome
  nodes::Answer message;
  write(message, answer);
  static_cast<void>(node->port->send(link::LINK_COMMAND_NODE_ANSWER, slot, message));
}

void OtherNodes::tick() {
  const SteadyTime now = context_.now();
  while (!deadlines_.empty() && deadlines_.front().first <= now) {
    const std::uint64_t number = deadlines_.front().second;
    deadlines_.pop_front();
    give_back(number, BatchFate::kLost);
  }
}

}  // namespace hongyan::logic
