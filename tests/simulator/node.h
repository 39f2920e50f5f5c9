// A machine of the cluster on which a logic node runs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "logic/ownership/quotas.h"
#include "proto/link.pb.h"
#include "proto/nodes.pb.h"
#include "tests/simulator/database.h"
#include "tests/simulator/link.h"
#include "tests/simulator/peer_link.h"

namespace hongyan::simulator {

// The pipelines and shards of the daemon as they are; what logic/app adds, its loops and links, is done here in the
// same way. Crashed, stopped or ended by itself it is started again by whoever supervises it.
class Node {
 public:
  struct Options {
    logic::NodeNumber number = 0;
    std::uint32_t threads = 2;
    std::vector<Database*> shards;
    std::vector<std::string> shard_slots;   // "0-2047"
    std::vector<std::size_t> shared_sizes;  // of the shards, when all nodes share them
    Mutation mutation = Mutation::kNone;
  };
  Node(Network& network, Options options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] Mutation mutation() const noexcept { return options_.mutation; }
  [[nodiscard]] logic::NodeNumber number() const noexcept { return options_.number; }
  // Null: it does not run.
  [[nodiscard]] std::shared_ptr<Process> process() const;
  [[nodiscard]] bool running() const { return process() != nullptr; }

  void start();
  void crash();
  // As SIGTERM: it leaves politely, and ends.
  void stop();
  void freeze();
  void thaw();
  // Of the machine, not of the simulation.
  void set_clock_offset(std::int64_t ms) noexcept { clock_offset_ms_ = ms; }
  void redis_emptied();
  // Whether it is to have slots while others could.
  void set_ready(bool ready);

  // From gates, in the node's process.
  void link_up(const LinkPtr& link);
  void link_down(const LinkPtr& link);
  struct Request {
    std::uint32_t seq = 0;
    Slot slot = 0;
    std::uint64_t slot_epoch = 0;
    std::uint32_t cmd_id = 0;
    std::string uid;
    std::uint64_t channel = 0;
    std::uint32_t device_type = 0;
    std::string body;
  };
  void request(const LinkPtr& link, Request request);
  void sessions(const LinkPtr& link, const link::Sessions& told);
  void session_closed(const LinkPtr& link, Slot slot, std::uint64_t channel);

  // The other nodes.
  void set_peers(std::vector<Node*> peers) { peers_ = std::move(peers); }
  // From slot threads of other nodes, in the node's process.
  struct PeerPacket {
    link::LinkCommand command = link::LINK_COMMAND_NONE;
    Slot slot = 0;
    std::string envelope;
  };
  void peer_up(const PeerLinkPtr& link);
  void peer_packet(const PeerLinkPtr& link, PeerPacket packet);
  // And from the nodes that its own threads are linked to.
  void peer_answer(const PeerLinkPtr& link, PeerPacket packet);
  void peer_down(const PeerLinkPtr& link);
  // With the mutation: what is in flight on a lane, and a result that comes when its link is gone.
  void lanes_sent(const PeerLinkPtr& link, const nodes::FanOut& packet);
  void stray_results(nodes::FanOutResult results);

  // It keeps accepted messages that are not delivered.
  [[nodiscard]] bool busy() const;

 private:
  friend class NodeLife;
  void ended(const std::string& why);
  [[nodiscard]] std::int64_t wall_ms() const;

  Network& network_;
  const Options options_;
  const std::string name_;
  std::int64_t clock_offset_ms_ = 0;
  struct InFlight {
    PeerLinkPtr link;
    std::uint64_t epoch = 0;
    std::uint64_t number = 0;
    std::size_t rows = 0;
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, InFlight> in_flight_;  // by source and destination
  std::vector<Node*> peers_;
  std::unique_ptr<class NodeLife> life_;
};

}  // namespace hongyan::simulator
