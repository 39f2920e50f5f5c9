// One loop's links to all logic nodes, and what goes over them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/forward/nodes.h"
#include "gate/session/counters.h"
#include "gate/session/upstream.h"

namespace hongyan::gate {

struct ForwarderOptions {
  forward::RouterOptions router;
  Milliseconds alive_report{30000};  // how often an owner hears of a living session, at most
  link::LinkOptions link;
};

// Forwards requests to the owners of their slots and hands answers, pushes and kicks to the sessions. Tells
// owners of the sessions: all of them when a node announces what it owns, the living ones now and then, each
// closed one. Lives on its loop; all calls there. The identity and the clients outlive it, and it
// outlives its loop's work (links call it until they are down).
class Forwarder : public Upstream, private forward::RouterPort, private link::LinkHandler {
 public:
  Forwarder(net::EventLoop& loop, std::uint32_t worker, const link::Identity& identity, ClientTable& clients,
            Counters& counters, ForwarderOptions options);

  // The live logic nodes: links to new ones are begun, those to others ended.
  void set_nodes(const std::vector<link::Member>& nodes) { nodes_.set(nodes); }
  void stop() { nodes_.stop(); }

  [[nodiscard]] Status submit(const Client& client, std::uint32_t cmd_id, std::uint32_t client_seq,
                              std::string_view body, SteadyTime now) override;
  void ack(const Client& client, std::uint32_t cmd_id, std::string_view body) override;
  void confirm_login(Client& client, SteadyTime now) override;
  void session_closed(const Client& client) override;
  // Noted, and sent by tick().
  void report_alive(Client& client, SteadyTime now);

  void tick(SteadyTime now);

  [[nodiscard]] const forward::Router& router() const noexcept { return router_; }
  [[nodiscard]] std::size_t links() const noexcept { return nodes_.size(); }

 private:
  Sent send(forward::NodeId node, const forward::Request& request) override;
  void answered(const forward::Request& request, const forward::Answer& answer) override;
  void refused(const forward::Request& request, Code code, std::uint32_t retry_after_ms) override;

  void on_link_up(const link::LinkPtr& link) override;
  void on_link_packets(const link::LinkPtr& link, std::span<const link::LinkPacket> packets) override;
  void on_link_down(const link::LinkPtr& link) override;

  void on_response(forward::NodeId node, const link::LinkPacket& packet);
  void on_slots(forward::NodeId node, const link::LinkPtr& link, const link::LinkPacket& packet);
  void on_push(const link::LinkPtr& link, const link::LinkPacket& packet);
  void on_kick(const link::LinkPacket& packet);
  void send_closed(std::uint64_t channel, Slot slot);
  void announce_sessions(forward::NodeId node, const link::LinkPtr& link);
  void fill(link::Session& out, const Client& client, SteadyTime now) const;
  [[nodiscard]] bool send_request(link::Link& link, std::uint32_t link_seq, const Client& client,
                                  std::uint32_t cmd_id, std::string_view body);

  ClientTable& clients_;
  Counters& counters_;
  const ForwarderOptions options_;

  forward::Nodes nodes_;
  std::map<forward::NodeId, link::Sessions> alive_;  // to be told to their owners

  // Reused, for their memory.
  link::ClientRequest request_;
  link::Push push_;

  forward::Router router_;
};

}  // namespace hongyan::gate
