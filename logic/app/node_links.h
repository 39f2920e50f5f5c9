// The links of one slot thread to the other logic nodes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/link/link.h"
#include "common/log/line_limit.h"
#include "common/owners/nodes.h"
#include "logic/pipeline/pipeline.h"

namespace hongyan::logic {

// A link between logic nodes, whichever of them has begun it. Keeps no link alive.
class LinkPort : public PeerPort {
 public:
  explicit LinkPort(const link::LinkPtr& link) : link_(link) {}
  [[nodiscard]] bool is_open() const noexcept override;
  [[nodiscard]] bool send(link::LinkCommand command, Slot slot,
                          const google::protobuf::MessageLite& envelope) override;
  void close(std::string_view reason) override;

 private:
  const std::weak_ptr<link::Link> link_;
};

// Keeps a link to each of them on the slot thread's loop, and gives its pipeline what comes on it. One loop; all
// calls there. What the constructor takes outlives it, and it outlives its loop's work.
class NodeLinks : private link::LinkHandler {
 public:
  // Calls f(pipeline) at once, as a turn.
  using Turn = std::function<void(const std::function<void(Pipeline&)>& f)>;
  NodeLinks(net::EventLoop& loop, const link::Identity& identity, std::uint32_t thread,
            const link::LinkOptions& options, Turn turn);

  // The live logic nodes; this one may be among them.
  void set(const std::vector<link::Member>& nodes);
  void stop() { nodes_.stop(); }

 private:
  void on_link_up(const link::LinkPtr& link) override;
  void on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) override;
  void on_link_down(const link::LinkPtr& link) override;

  const link::Identity& identity_;
  const Turn turn_;
  owners::Nodes nodes_;
  log::LineLimit lines_;
};

}  // namespace hongyan::logic
