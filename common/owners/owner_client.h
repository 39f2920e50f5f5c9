// The owners of slots, from the side of those who send them requests: gates, and the server API.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/owners/nodes.h"
#include "common/owners/router.h"

namespace hongyan::owners {

using SlotSet = std::bitset<kSlotCount>;

// What a SLOTS packet says; slots: the packet, parsed. Error kBadRequest: it does not parse, or slots are out of range.
[[nodiscard]] Result<Announcement> parse_slots(const link::LinkPacket& packet, link::Slots& slots);

// What the user of an OwnerClient does itself, on the client's loop. send() fills in who asks and calls
// OwnerClient::send(); submit() may not be called from here.
class OwnerUser : public Requester {
 public:
  // A node has said what it owns; the requests that wait for that go to it next. version: of what it said.
  // added: the slots that it owns since then.
  virtual void on_announced(NodeId node, link::Link& link, std::uint64_t version, const SlotSet& added);
  virtual void on_node_down(NodeId node);
  // A packet that is neither an answer nor an announcement.
  virtual void on_packet(link::Link& link, const link::LinkPacket& packet);
};

// Links to all live logic nodes, what they own, and the requests under way to them (Router says which
// guarantees those have). Lives on one loop; all calls there. Identity and user outlive it, and it outlives
// its loop's work (links call it until they are down).
class OwnerClient : private link::LinkHandler {
 public:
  struct Options {
    std::string_view name;     // "gate": of the component, in the log
    std::uint32_t worker = 0;  // told to the nodes in our hello
    RouterOptions router;
    link::LinkOptions link;
  };
  OwnerClient(net::EventLoop& loop, const link::Identity& identity, OwnerUser& user, Options options);

  // The live logic nodes: links to new ones are begun, those to others ended.
  void set_nodes(const std::vector<link::Member>& nodes) { nodes_.set(nodes); }
  // Ends all links; set_nodes() does nothing from then on.
  void stop() { nodes_.stop(); }
  // Every 50 ms or so.
  void tick(SteadyTime now) { router_.tick(now); }

  // To the owner of the slot, to end in the user's answered() or refused(). Error kUnavailable: too much is
  // held.
  [[nodiscard]] Status submit(const Router::NewRequest& request, SteadyTime now) {
    return router_.submit(request, now);
  }
  // The user's send(), once it knows who asks. The envelope is completed.
  [[nodiscard]] Requester::Sent send(NodeId node, const Request& request,
                                     link::ClientRequest& envelope) const;

  // Null: nobody owns the slot, or the link has gone.
  [[nodiscard]] link::Link* owner_of(Slot slot) const noexcept {
    return nodes_.link_of(router_.owners().owner(slot).node);
  }
  [[nodiscard]] link::Link* link_of(NodeId node) const noexcept { return nodes_.link_of(node); }
  [[nodiscard]] const Router& router() const noexcept { return router_; }
  // Links that are up.
  [[nodiscard]] std::size_t links() const noexcept { return nodes_.size(); }

 private:
  void on_link_up(const link::LinkPtr& link) override;
  void on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) override;
  void on_link_down(const link::LinkPtr& link) override;
  void on_response(NodeId node, const link::LinkPacket& packet);
  void on_slots(NodeId node, link::Link& link, const link::LinkPacket& packet);

  OwnerUser& user_;
  const std::string_view name_;
  link::ClientResponse response_;  // reused, for its memory
  Nodes nodes_;
  Router router_;
};

}  // namespace hongyan::owners
