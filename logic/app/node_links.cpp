#include "logic/app/node_links.h"

#include "common/log/log.h"

namespace hongyan::logic {

namespace {

constexpr std::uint32_t kLinesPerSecond = 5;

}  // namespace

bool LinkPort::is_open() const noexcept {
  const auto link = link_.lock();
  return link && link->is_open();
}

bool LinkPort::send(link::LinkCommand command, Slot slot, const google::protobuf::MessageLite& envelope) {
  const auto link = link_.lock();
  return link && link->send(command, 0, slot, envelope);
}

void LinkPort::close(std::string_view reason) {
  if (const auto link = link_.lock()) link->close(reason);
}

NodeLinks::NodeLinks(net::EventLoop& loop, const link::Identity& identity, std::uint32_t thread,
                     const link::LinkOptions& options, Turn turn)
    : identity_(identity),
      turn_(std::move(turn)),
      nodes_(loop, identity, *this, {.worker = thread, .link = options}),
      lines_(kLinesPerSecond) {}

void NodeLinks::set(const std::vector<link::Member>& nodes) { nodes_.set(nodes); }

void NodeLinks::on_link_up(const link::LinkPtr& link) {
  // A list may name this node, and by another name: nothing is sent to it that way.
  if (link->peer().boot_id == identity_.boot_id) return;
  const owners::NodeId node = nodes_.up(link);
  if (node == 0) return;
  turn_([&](Pipeline& pipeline) { pipeline.node_up(node, std::make_shared<LinkPort>(link)); });
}

void NodeLinks::on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) {
  const owners::NodeId node = nodes_.id_of(link);
  if (node == 0) return;
  Status good;
  turn_([&](Pipeline& pipeline) {
    for (const auto& packet : packets) {
      if (good) good = pipeline.from_node(node, packet);
    }
  });
  if (good) return;
  link->close(good.error().message);
  const auto suppressed = lines_.allow(SteadyClock::now());
  if (!suppressed) return;
  log::error("link", "bad packet of a node peer={} reason={} suppressed={}",
             log::quoted(link->peer().node_id), good.error().message, *suppressed);
}

void NodeLinks::on_link_down(const link::LinkPtr& link) {
  const owners::NodeId node = nodes_.down(link);
  if (node == 0) return;
  turn_([node](Pipeline& pipeline) { pipeline.node_down(node); });
}

}  // namespace hongyan::logic
