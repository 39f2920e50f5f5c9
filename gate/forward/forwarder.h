// One worker's links to all logic nodes, and what goes over them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/link/link_client.h"
#include "common/link/member_view.h"
#include "gate/forward/router.h"
#include "gate/session/counters.h"
#include "gate/session/peer_table.h"

namespace hongyan::gate {

struct ForwarderOptions {
  RouterOptions router;
  Milliseconds alive_report{30000};  // how often an owner hears of a living session, at most
  link::LinkOptions link;
};

// Forwards requests to the owners of their slots and hands answers, pushes and kicks to the sessions. Tells
// owners of the sessions: all of them when a node announces what it owns, the living ones now and then, each
// closed one. Lives on its worker's loop; all calls there. The identity and the peers outlive it, and it
// outlives its loop's work (links call it until they are down).
class Forwarder : private RouterPort, private link::LinkHandler {
 public:
  Forwarder(net::EventLoop& loop, std::uint32_t worker, const link::Identity& identity, PeerTable& peers,
            Counters& counters, ForwarderOptions options);

  // The live logic nodes: links to new ones are begun, those to others ended.
  void set_nodes(const std::vector<link::Member>& nodes);
  void stop();

  // A request of the peer, to be answered through its session. Error kUnavailable: too much is held.
  [[nodiscard]] Status submit(const Peer& peer, std::uint32_t cmd_id, std::uint32_t client_seq,
                              std::string_view body, SteadyTime now);
  // An acknowledgement: no answer comes, and without an owner it is dropped (announcements carry what
  // counts).
  void send_ack(const Peer& peer, std::uint32_t cmd_id, std::string_view body);
  // A logged-in session has ended.
  void session_closed(const Peer& peer);
  // Noted, and sent by tick().
  void report_alive(Peer& peer, SteadyTime now);

  void tick(SteadyTime now);

  [[nodiscard]] const Router& router() const noexcept { return router_; }
  [[nodiscard]] std::size_t links() const noexcept { return links_.size(); }

 private:
  Sent send(NodeId node, const Request& request) override;
  void answered(const Request& request, const Answer& answer) override;
  void refused(const Request& request, Code code, std::uint32_t retry_after_ms) override;

  void on_link_up(const link::LinkPtr& link) override;
  void on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) override;
  void on_link_down(const link::LinkPtr& link) override;

  void on_response(NodeId node, const link::LinkPacket& packet);
  void on_slots(NodeId node, const link::LinkPtr& link, const link::LinkPacket& packet);
  void on_push(const link::LinkPtr& link, const link::LinkPacket& packet);
  void on_kick(const link::LinkPacket& packet);
  void send_closed(std::uint64_t channel, Slot slot);
  void announce_sessions(NodeId node, const link::LinkPtr& link);
  void fill(link::Session& out, const Peer& peer, SteadyTime now) const;
  [[nodiscard]] link::Link* link_of(NodeId node) const noexcept;
  [[nodiscard]] bool send_request(link::Link& link, std::uint32_t link_seq, const Peer& peer,
                                  std::uint32_t cmd_id, std::string_view body);

  net::EventLoop& loop_;
  const std::uint32_t worker_;
  const link::Identity& identity_;
  PeerTable& peers_;
  Counters& counters_;
  const ForwarderOptions options_;

  struct NodeLink {
    NodeId node;
    link::LinkPtr link;
  };
  std::map<std::string, std::shared_ptr<link::LinkClient>> clients_;  // by node id
  std::vector<NodeLink> links_;                                       // that are up
  NodeId next_node_ = 1;
  std::map<NodeId, link::Sessions> alive_;  // to be told to their owners
  bool stopped_ = false;

  // Reused, for their memory.
  link::ClientRequest request_;
  link::ClientResponse response_;
  link::Push push_;

  Router router_;
};

}  // namespace hongyan::gate
