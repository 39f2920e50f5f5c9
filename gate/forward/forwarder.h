// One loop's links to all logic nodes, and what goes over them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/owners/owner_client.h"
#include "gate/forward/forwarder_options.h"
#include "gate/session/counters.h"
#include "gate/session/upstream.h"

namespace hongyan::gate {

// Forwards requests to the owners of their slots and hands answers, pushes and kicks to the sessions. Tells
// owners of the sessions: all those of the slots that a node announces newly, the living ones now and then, each
// closed one. Lives on its loop; all calls there. The identity and the clients outlive it, and it
// outlives its loop's work (links call it until they are down).
class Forwarder : public Upstream, private owners::OwnerUser {
 public:
  Forwarder(net::EventLoop& loop, std::uint32_t worker, const link::Identity& identity, ClientTable& clients,
            Counters& counters, const ForwarderOptions& options);

  // The live logic nodes: links to new ones are begun, those to others ended.
  void set_nodes(const std::vector<link::Member>& nodes) { owners_.set_nodes(nodes); }
  void stop() { owners_.stop(); }

  [[nodiscard]] Status submit(const Client& client, std::uint32_t cmd_id, std::uint32_t client_seq,
                              std::string_view body, SteadyTime now) override;
  void ack(const Client& client, std::uint32_t cmd_id, std::string_view body) override;
  void confirm_login(Client& client, SteadyTime now) override;
  void session_closed(const Client& client) override;
  void came_alive(Client& client) override;
  // Noted, when it is time for it, and sent by tick(). Returns when to be asked again, at the latest.
  SteadyTime report_alive(Client& client, SteadyTime now);

  void tick(SteadyTime now);

  [[nodiscard]] const owners::Router& router() const noexcept { return owners_.router(); }
  [[nodiscard]] std::size_t links() const noexcept { return owners_.links(); }

 private:
  Sent send(owners::NodeId node, const owners::Request& request) override;
  void answered(const owners::Request& request, const owners::Answer& answer) override;
  void refused(const owners::Request& request, const Error& error) override;

  void on_announced(owners::NodeId node, link::Link& link, std::uint64_t version,
                    const owners::SlotSet& added) override;
  void on_node_down(owners::NodeId node) override;
  void on_packet(link::Link& link, const link::LinkPacket& packet) override;

  void on_push(link::Link& link, const link::LinkPacket& packet);
  void on_kick(const link::LinkPacket& packet);
  // The push's client, when it takes pushes; tells the owner when it does not.
  [[nodiscard]] Session* session_for_push(link::Link& link, std::uint64_t channel, Slot slot);
  void send_closed(std::uint64_t channel, Slot slot);
  void fill(link::Session& out, const Client& client, SteadyTime now) const;
  [[nodiscard]] link::ClientRequest& envelope_of(const Client& client, std::uint32_t cmd_id);

  ClientTable& clients_;
  Counters& counters_;
  const Milliseconds alive_report_;  // how often an owner hears of a living session, at most

  std::map<owners::NodeId, link::Sessions> alive_;  // to be told to their owners

  // Reused, for their memory.
  link::ClientRequest request_;
  link::Push push_;
  // Whose submit() is under way: its request needs no looking up when it is sent at once.
  const Client* submitting_ = nullptr;

  owners::OwnerClient owners_;
};

}  // namespace hongyan::gate
