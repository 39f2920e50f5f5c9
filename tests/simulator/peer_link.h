// A link from a slot thread of a logic node to another node.
#pragma once

#include <cstdint>
#include <memory>

#include "common/owners/owner_table.h"
#include "tests/simulator/network.h"

namespace hongyan::simulator {

class Node;

// Stands until one of its processes ends it, or both have heard nothing for three seconds.
struct PeerLink {
  owners::NodeId number = 0;  // of no other one of the thread
  std::uint32_t thread = 0;
  Node* from = nullptr;
  Node* to = nullptr;
  std::shared_ptr<Process> from_process;
  std::shared_ptr<Process> to_process;
  std::shared_ptr<Pipe> there;
  std::shared_ptr<Pipe> back;
  bool up = false;  // the thread knows of it
  bool closed = false;
  SteadyTime quiet_since = SteadyTime::max();
};
using PeerLinkPtr = std::shared_ptr<PeerLink>;

// Ends it, and tells both ends.
void close(const PeerLinkPtr& link);

}  // namespace hongyan::simulator
