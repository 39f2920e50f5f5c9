#include "common/owners/nodes.h"

#include <algorithm>

#include "common/log/log.h"

namespace hongyan::owners {

void Nodes::set(const std::vector<link::Member>& nodes) {
  loop_.assert_in_loop();
  if (stopped_) return;
  std::erase_if(clients_, [&nodes](const auto& entry) {
    link::LinkClient& client = *entry.second;
    const bool stays = std::ranges::any_of(nodes, [&entry, &client](const link::Member& node) {
      return node.node_id == entry.first && node.endpoint == client.endpoint();
    });
    if (!stays) client.stop();
    return !stays;
  });
  for (const auto& node : nodes) {
    if (clients_.contains(node.node_id)) continue;
    clients_[node.node_id] =
        link::LinkClient::start(loop_, node.endpoint, identity_, handler_, options_.worker, options_.link);
  }
}

void Nodes::stop() {
  loop_.assert_in_loop();
  stopped_ = true;
  for (auto& [id, client] : clients_) client->stop();
  clients_.clear();
}

NodeId Nodes::up(const link::LinkPtr& link) {
  if (link->peer().role != link::ROLE_LOGIC) {
    log::error("link", "not a logic node peer={}", link->peer().address);
    link->close("not a logic node");
    return 0;
  }
  links_.push_back({.node = next_++, .link = link});
  return links_.back().node;
}

NodeId Nodes::down(const link::LinkPtr& link) {
  const auto it = std::ranges::find(links_, link, &NodeLink::link);
  if (it == links_.end()) return 0;
  const NodeId node = it->node;
  links_.erase(it);
  return node;
}

NodeId Nodes::id_of(const link::LinkPtr& link) const noexcept {
  const auto it = std::ranges::find(links_, link, &NodeLink::link);
  return it == links_.end() ? 0 : it->node;
}

link::Link* Nodes::link_of(NodeId node) const noexcept {
  const auto it = std::ranges::find(links_, node, &NodeLink::node);
  return it == links_.end() ? nullptr : it->link.get();
}

}  // namespace hongyan::owners
