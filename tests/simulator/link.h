// A link between a gate and a logic node.
#pragma once

#include <cstdint>
#include <memory>

#include "common/owners/owner_table.h"
#include "tests/simulator/network.h"

namespace hongyan::simulator {

class Gate;
class Node;

// Stands until one of its processes ends it, or both have heard nothing for three seconds.
struct Link {
  owners::NodeId number = 0;  // the gate's, of no other of its links
  Gate* gate = nullptr;
  Node* node = nullptr;
  std::shared_ptr<Process> gate_process;
  std::shared_ptr<Process> node_process;
  std::shared_ptr<Pipe> to_node;
  std::shared_ptr<Pipe> to_gate;
  bool closed = false;
  SteadyTime quiet_since = SteadyTime::max();

  void close() {
    closed = true;
    to_node->close();
    to_gate->close();
  }
};
using LinkPtr = std::shared_ptr<Link>;

}  // namespace hongyan::simulator
