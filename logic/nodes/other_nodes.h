// The other logic nodes, as one slot thread reaches them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/link/frame.h"
#include "common/owners/owner_table.h"
#include "logic/group/mail.h"
#include "logic/message/lane.h"
#include "logic/nodes/wire.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// What came from another node, on the slot thread.
class NodeListener {
 public:
  virtual ~NodeListener() = default;
  virtual void lane_result(LaneResult result) = 0;
  virtual void group_reply(GroupReply reply) = 0;
  virtual void group_news(owners::NodeId from, const GroupBroadcast& message) = 0;
  virtual void owners_changed(std::span<const Slot> slots) = 0;
  // What was asked there is not answered any more.
  virtual void asks_lost(owners::NodeId node) = 0;
};

// The links of a slot thread to the other nodes, from their announcements to what is sent on them. Batches for a
// node are gathered until the end of the turn and kept until their results are here: a batch whose link goes down, or
// whose result is not here within kPatience, is lost. Pure: no I/O. One thread.
class OtherNodes {
 public:
  static constexpr Milliseconds kPatience{10'000};

  OtherNodes(ThreadContext& context, NodeListener& listener) : context_(context), listener_(listener) {}

  // A link that came up; its number is of no other.
  void up(owners::NodeId node, PeerPortPtr port);
  void down(owners::NodeId node);
  // A packet of it. Error kBadRequest: it makes no sense, and the link is to be closed.
  [[nodiscard]] Status take(owners::NodeId node, const link::LinkPacket& packet);

  // To the owner of the destination; comes back refused when there is none.
  void send(LaneBatch batch);
  // To the owner of the slot. False: there is none, or its link takes nothing now.
  [[nodiscard]] bool send(Slot slot, const GroupAsk& ask);
  void send(Slot slot, const CtrlAnswer& answer);

  // At the end of a turn.
  void flush();
  void tick();
  // Batches whose result is not here.
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_.size(); }

 private:
  struct Gathered {
    FanOutPacket packet;
    std::vector<std::uint64_t> batches;
  };
  struct Node {
    PeerPortPtr port;
    std::uint32_t threads = 0;                   // 0: not told yet
    std::map<std::uint32_t, Gathered> gathered;  // by the node's slot thread
  };
  struct Outstanding {
    BatchId id;
    owners::NodeId node = 0;
    std::vector<DeliverWorkPtr> works;
  };

  [[nodiscard]] Status hello(Node& node, const link::LinkPacket& packet);
  [[nodiscard]] Status slots(owners::NodeId node, const link::LinkPacket& packet);
  [[nodiscard]] Status results(owners::NodeId node, const link::LinkPacket& packet);
  [[nodiscard]] Status reply(owners::NodeId node, const link::LinkPacket& packet);
  [[nodiscard]] Status news(owners::NodeId node, const link::LinkPacket& packet);
  [[nodiscard]] Node* owner_of(Slot slot);
  void flush(Node& node, Gathered& gathered);
  void give_back(std::uint64_t number, BatchFate fate);

  ThreadContext& context_;
  NodeListener& listener_;
  std::map<owners::NodeId, Node> nodes_;
  std::unordered_map<std::uint64_t, Outstanding> outstanding_;  // by the batch's number
  std::deque<std::pair<SteadyTime, std::uint64_t>> deadlines_;
  nodes::FanOutResult results_;  // reused, for its memory
};

}  // namespace hongyan::logic
