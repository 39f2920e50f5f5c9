// What the slot threads of other nodes want of one of ours.
#pragma once

#include <unordered_map>
#include <utility>
#include <vector>

#include "common/link/frame.h"
#include "logic/group/group_calls.h"
#include "logic/group/owned_groups.h"
#include "logic/message/delivery.h"
#include "logic/nodes/wire.h"
#include "logic/user/thread_context.h"

namespace hongyan::logic {

// Takes their lanes, questions and answers, and sends back what comes of them; results are gathered until the end of
// the turn. Pure: no I/O. One thread.
class NodeCalls {
 public:
  struct Deps {
    ThreadContext& context;
    Delivery& delivery;
    OwnedGroups& owned_groups;
    GroupCalls& group_calls;
  };
  explicit NodeCalls(const Deps& deps) : deps_(deps) {}

  // For a slot of this thread. Error kBadRequest: it makes no sense, and the link is to be closed.
  [[nodiscard]] Status take(const PeerPortPtr& port, const link::LinkPacket& packet);

  void result(const PeerPortPtr& port, const LaneResult& result);
  static void reply(PeerPort& port, const GroupReply& reply);
  // To those that follow the group.
  void news(const GroupBroadcast& message);

  // At the end of a turn.
  void flush();
  // Forgets links that are gone.
  void tick();

 private:
  [[nodiscard]] Status fan_out(const PeerPortPtr& port, const link::LinkPacket& packet);
  [[nodiscard]] Status ask(const PeerPortPtr& port, const link::LinkPacket& packet);
  [[nodiscard]] Status answer(const link::LinkPacket& packet);

  const Deps deps_;
  nodes::FanOut fan_out_;  // reused, for its memory
  struct Results {
    PeerPortPtr port;
    nodes::FanOutResult message;
  };
  std::vector<Results> results_;
  std::unordered_map<GroupKey, std::vector<PeerPortPtr>, GroupKeyHash> followers_;
  SteadyTime next_look_{};
};

}  // namespace hongyan::logic
